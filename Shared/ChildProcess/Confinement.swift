import CLinux
import Glibc

/// Takes from this process, for good and from all it starts, whatever reading a document does not
/// need. Entered by a child of ours before it looks at a byte of the document.
///
/// Each protection is taken as far as the kernel gives it; `Protections` says what came of it.
package struct Confinement: Sendable {
    /// Folders and files it may read; programs in them may be run.
    package let readable: [String]
    /// Whether it may start programs. Those can start nothing themselves: see `ConfinedProgram`.
    package let mayStartPrograms: Bool

    package init(readable: [String], mayStartPrograms: Bool) {
        self.readable = readable
        self.mayStartPrograms = mayStartPrograms
    }

    /// To be called while there is one thread only: the kernel confines threads.
    package func enter() throws(ChildError) {
        guard Self.threadCount() == 1 else {
            throw .notStarted("a process of several threads cannot be confined")
        }
        guard clinux_no_new_privileges() == 0 else {
            throw .notStarted("the way to new privileges stays open")
        }
        OwnUser.take()
        FileAccess(readable: readable).enter()
        CallFilter.enter(mayStartPrograms: mayStartPrograms)
    }

    /// 1 where there is no `/proc` to count them in.
    private static func threadCount() -> Int {
        guard let folder = opendir("/proc/self/task") else { return 1 }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) {
            if entry.pointee.d_name.0 != UInt8(ascii: ".") { count += 1 }
        }
        return count
    }
}

/// Away from root: to a user that nothing else on the machine is.
private enum OwnUser {
    /// Above all users that systems give out; with a process's number added, each child is alone.
    private static let firstUser: uid_t = 0x7000_0000
    /// `nobody`, where a container knows no such numbers.
    private static let nobody: uid_t = 65_534

    static func take() {
        guard geteuid() == 0 else { return }
        for user in [firstUser + uid_t(getpid()), nobody] where become(user) { return }
    }

    private static func become(_ user: uid_t) -> Bool {
        // The folder it works in, and the document there.
        guard chown(".", user, user) == 0, setgroups(0, nil) == 0,
            setgid(user) == 0
        else { return false }
        for file in [OwnFolder.inputName, OwnFolder.notesName] { chown(file, user, user) }
        return setuid(user) == 0
    }
}

/// Landlock: what it may read, and its own folder, which it may fill. Also, in newer kernels, no
/// connections and no signals out of the sandbox.
private struct FileAccess {
    let readable: [String]

    /// Rights over files by the version of Landlock that brought them; the first has 13.
    private static func rightsCount(_ version: Int32) -> UInt64 {
        switch version {
        case 1: 13
        case 2: 14
        case 3, 4: 15
        default: 16
        }
    }

    private static let execute: UInt64 = 1 << 0
    private static let writeFile: UInt64 = 1 << 1
    private static let readFile: UInt64 = 1 << 2
    private static let readFolder: UInt64 = 1 << 3
    private static let removeFolder: UInt64 = 1 << 4
    private static let removeFile: UInt64 = 1 << 5
    private static let makeFolder: UInt64 = 1 << 7
    private static let makeFile: UInt64 = 1 << 8
    private static let truncate: UInt64 = 1 << 14

    func enter() {
        let version = clinux_landlock_version()
        guard version > 0 else { return }
        let known = (1 << Self.rightsCount(version)) - 1 as UInt64
        let rules = clinux_landlock_create(
            clinux_landlock_rights(
                files: known, network: version >= 4 ? 0b11 : 0, scopes: version >= 6 ? 0b11 : 0))
        guard rules >= 0 else { return }
        defer { close(rules) }
        let reading = Self.execute | Self.readFile | Self.readFolder
        for path in readable { allow(path, reading & known, in: rules) }
        let own =
            Self.readFile | Self.readFolder | Self.writeFile | Self.makeFile | Self.removeFile
            | Self.makeFolder | Self.removeFolder | Self.truncate
        allow(".", own & known, in: rules)
        _ = clinux_landlock_enter(rules)
    }

    /// What is not there need not be allowed.
    private func allow(_ path: String, _ rights: UInt64, in rules: CInt) {
        let place = open(path, O_RDONLY | O_CLOEXEC)
        guard place >= 0 else { return }
        defer { close(place) }
        var status = stat()
        guard fstat(place, &status) == 0 else { return }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        let ofFiles = Self.execute | Self.readFile | Self.writeFile | Self.truncate
        _ = clinux_landlock_allow(rules, place, isFolder ? rights : rights & ofFiles)
    }
}

import FoundationEssentials
import Glibc

/// An empty folder that a program works in, and that goes with it.
package struct OwnFolder: Sendable {
    package let path: String

    /// Where the program finds its input if it wants it by name.
    package static let inputName = "input"
    package var inputPath: String { "\(path)/\(Self.inputName)" }

    /// Where the program finds what an earlier one has found out about its input.
    package static let notesName = "notes"
    package var notesPath: String { "\(path)/\(Self.notesName)" }

    package init() throws(ChildError) {
        var template = Array("\(Self.place)/\(Self.prefix)\(getpid())-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw .notStarted("no folder could be made for the program")
        }
        path = String(cString: made)
    }

    private static let place = "/tmp"
    private static let prefix = "celine-child-"

    /// The same file as another folder's input, without a copy of its bytes.
    package func shareInput(of other: OwnFolder) throws(ChildError) {
        guard link(other.inputPath, inputPath) == 0 else {
            throw .notStarted("the input cannot be given to the program")
        }
    }

    /// Removes what a process that was killed has left here: a document perhaps. To be called
    /// before this process makes any: in a container its number is its forerunner's.
    package static func removeAbandoned(by own: Int32? = nil) {
        // Without a list there is nothing to be removed.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
        for name in names where name.hasPrefix(prefix) {
            let owner = name.dropFirst(prefix.count).prefix { $0 != "-" }
            guard let process = pid_t(owner), process > 0 else { continue }
            let isAlive = kill(process, 0) == 0 || errno != ESRCH
            if process == own ?? getpid() || !isAlive {
                // Another user's cannot be removed, and is not ours.
                try? FileManager.default.removeItem(atPath: "\(place)/\(name)")
            }
        }
    }

    package func remove() {
        // An operating system cleans /tmp; a folder left there holds nothing we need.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A descriptor the program can only read. Bytes go through a file without a name, so that a
    /// program that does not read its input cannot hold us up.
    func open(_ input: ChildProcess.Input) throws(ChildError) -> CInt {
        switch input {
        case .nothing: return try Self.reading("/dev/null")
        case .file(let file): return try Self.reading(file)
        case .bytes(let bytes):
            let file = "\(path)/.bytes"
            defer { unlink(file) }
            try OwnFile(making: file).write(bytes)
            return try Self.reading(file)
        }
    }

    private static func reading(_ path: String) throws(ChildError) -> CInt {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .notStarted("the input cannot be opened") }
        return descriptor
    }
}

/// A file that is being made, for nobody else to read.
package struct OwnFile: ~Copyable {
    private let descriptor: CInt

    package init(making path: String) throws(ChildError) {
        descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .notStarted("the input cannot be written") }
    }

    deinit { close(descriptor) }

    package func write(_ bytes: some Collection<UInt8>) throws(ChildError) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .notStarted("the input cannot be written") }
            rest = rest.dropFirst(count)
        }
    }
}

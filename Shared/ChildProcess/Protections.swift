import CLinux
import Glibc

/// What a confined process cannot do, found by trying it.
package struct Protections: Sendable, Hashable, Codable {
    /// It is neither root nor the user that started it.
    package let ownUser: Bool
    /// Files outside its folder and the readable ones can be neither read nor made.
    package let files: Bool
    package let network: Bool
    /// Nothing can be started, and its group not be left.
    package let processes: Bool
    package let signals: Bool
    /// The environment and memory of whoever started it cannot be read.
    package let parent: Bool

    /// Nothing is missing that a kernel of today gives to everyone: a user of its own takes root.
    package var isTight: Bool { files && network && processes && signals && parent }

    /// In the words of the log, those in force or those missing.
    package func names(inForce: Bool) -> [String] {
        [
            ("own user", ownUser), ("files", files), ("network", network),
            ("processes", processes), ("signals", signals), ("parent", parent),
        ].filter { $0.1 == inForce }.map(\.0)
    }

    /// Confines this process and tries to get out.
    package static func tried(_ confinement: Confinement) throws(ChildError) -> Protections {
        let parent = getppid()
        let user = geteuid()
        try confinement.enter()
        return Protections(
            ownUser: geteuid() != 0 && geteuid() != user,
            files: !opens("/etc/passwd", O_RDONLY) && !makesFile(),
            network: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) < 0
                && socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) < 0,
            processes: clinux_can_fork() == 0 && setsid() < 0 && setpgid(0, 0) < 0,
            signals: kill(parent, 0) < 0,
            parent: !opens("/proc/\(parent)/environ", O_RDONLY)
                && !opens("/proc/\(parent)/mem", O_RDONLY))
    }

    private static func opens(_ path: String, _ flags: CInt) -> Bool {
        let descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }

    private static func makesFile() -> Bool {
        let path = "/tmp/celine-sandbox-\(getpid())"
        guard opens(path, O_WRONLY | O_CREAT | O_EXCL) else { return false }
        unlink(path)
        return true
    }
}

/// Nothing of the same user may look into this process: neither its environment nor its memory.
package func hideFromOtherProcesses() -> Bool { clinux_not_dumpable() == 0 }

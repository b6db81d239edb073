import FoundationEssentials
import Glibc

/// An empty folder that a program works in, and that goes with it.
struct OwnFolder: Sendable {
    let path: String

    init() throws(ChildError) {
        var template = Array("/tmp/celine-child-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw .notStarted("no folder could be made for the program")
        }
        path = String(cString: made)
    }

    func remove() {
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
            let file = "\(path)/.input"
            defer { unlink(file) }
            try write(bytes, to: file)
            return try Self.reading(file)
        }
    }

    private static func reading(_ path: String) throws(ChildError) -> CInt {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .notStarted("the input cannot be opened") }
        return descriptor
    }

    private func write(_ bytes: [UInt8], to file: String) throws(ChildError) {
        let descriptor = Glibc.open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .notStarted("the input cannot be written") }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .notStarted("the input cannot be written") }
            rest = rest.dropFirst(count)
        }
    }
}

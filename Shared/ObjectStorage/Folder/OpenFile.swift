import FoundationEssentials
import Glibc
import NIOCore

/// A file or folder that is open, and closed with the last who holds it.
final class OpenFile: Sendable {
    private let descriptor: CInt

    private init(_ descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    static func create(_ path: String) throws(ObjectStorageError) -> OpenFile {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileCalls.failure() }
        return OpenFile(descriptor)
    }

    /// For reading; symbolic links are not followed, since we make none.
    static func open(_ path: String) throws(ObjectStorageError) -> OpenFile {
        let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileCalls.failure() }
        return OpenFile(descriptor)
    }

    func byteCount() throws(ObjectStorageError) -> Int {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw FileCalls.failure() }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw .notFound }
        return Int(facts.st_size)
    }

    func write(_ buffer: ByteBuffer) throws(ObjectStorageError) {
        var rest = buffer
        while rest.readableBytes > 0 {
            let count = rest.withUnsafeReadableBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileCalls.failure() }
            rest.moveReaderIndex(forwardBy: count)
        }
    }

    func read(_ range: Range<Int>) throws(ObjectStorageError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: range.count)
        while buffer.readableBytes < range.count {
            let (offset, rest) = (
                range.lowerBound + buffer.readableBytes, range.count - buffer.readableBytes
            )
            var result = 0
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: rest) {
                result = pread(descriptor, $0.baseAddress, rest, off_t(offset))
                return max(0, result)
            }
            if result < 0, errno == EINTR { continue }
            guard result >= 0 else { throw FileCalls.failure() }
            // A file that became shorter is not the object that was stored.
            guard result > 0 else { throw .corrupt("the object is cut short") }
        }
        return buffer
    }

    func synchronize() throws(ObjectStorageError) {
        guard fsync(descriptor) == 0 else { throw FileCalls.failure() }
    }
}

/// What the file system says, in our words.
enum FileCalls {
    static func failure(_ code: CInt = errno) -> ObjectStorageError {
        code == ENOENT || code == ENOTDIR || code == ELOOP
            ? .notFound : .unavailable(String(cString: strerror(code)))
    }

    static func makeFolders(_ path: String) throws(ObjectStorageError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/\(part)"
            guard mkdir(made, 0o700) == 0 || errno == EEXIST else { throw failure() }
        }
    }

    /// Nil when there is no such file.
    static func modificationTime(_ path: String) throws(ObjectStorageError) -> Date? {
        var facts = stat()
        guard lstat(path, &facts) == 0 else {
            if errno == ENOENT { return nil }
            throw failure()
        }
        return Date(timeIntervalSince1970: Double(facts.st_mtim.tv_sec))
    }

    /// Every file below, as a key, one at a time.
    static func forEachFile(
        under root: String, _ folder: String = "", _ body: (String) throws -> Void
    ) throws {
        guard let stream = opendir("\(root)/\(folder)") else { throw failure() }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name.0) { String(cString: $0) }
            guard !name.hasPrefix(".") else { continue }
            let key = folder.isEmpty ? name : "\(folder)/\(name)"
            if entry.pointee.d_type == DT_DIR {
                try forEachFile(under: root, key, body)
            } else {
                try body(key)
            }
        }
    }
}

import CArchive
import Synchronization

/// Reads a tar archive from its beginning to its end, whatever compressed it. Nothing is unpacked to
/// disk, so that names are keys and nothing else.
package final class TarReader: Sendable {
    package struct Entry: Sendable, Hashable {
        package let name: String
        package let byteCount: Int
    }

    private let archive: Mutex<OpaquePointer>
    private static let blockByteCount = 256 << 10

    /// - Parameter descriptor: of a file or a pipe, which stays its owner's.
    package init(descriptor: Int32) throws(TarError) {
        guard let archive = archive_read_new() else { throw .file("out of memory") }
        for status in [
            archive_read_support_format_tar(archive), archive_read_support_filter_zstd(archive),
            archive_read_open_fd(archive, descriptor, Self.blockByteCount),
        ] where status != ARCHIVE_OK {
            let failure = Self.failure(of: archive)
            archive_read_free(archive)
            throw failure
        }
        self.archive = Mutex(archive)
    }

    deinit { archive.withLock { _ = archive_read_free($0) } }

    /// The next entry, what is left of the last one being skipped; nil at the end.
    package func next() throws(TarError) -> Entry? {
        try archive.withLock { archive throws(TarError) in
            var entry: OpaquePointer?
            switch archive_read_next_header(archive, &entry) {
            case ARCHIVE_EOF: return nil
            case ARCHIVE_OK: break
            default: throw Self.failure(of: archive)
            }
            guard Int(archive_entry_filetype(entry)) == TarEntryType.regular,
                let name = archive_entry_pathname(entry), archive_entry_size_is_set(entry) != 0
            else { throw .corrupt("it has an entry that is no file") }
            return Entry(
                name: String(cString: name), byteCount: Int(archive_entry_size(entry)))
        }
    }

    /// The next bytes of the entry, so many at most; nil at its end.
    package func read(byteCountMax: Int) throws(TarError) -> [UInt8]? {
        try archive.withLock { archive throws(TarError) in
            var readCount = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: byteCountMax) { buffer, count in
                readCount = archive_read_data(archive, buffer.baseAddress, byteCountMax)
                count = max(0, readCount)
            }
            guard readCount >= 0 else { throw Self.failure(of: archive) }
            return bytes.isEmpty ? nil : bytes
        }
    }

    private static func failure(of archive: OpaquePointer) -> TarError {
        .corrupt(archive_error_string(archive).map { String(cString: $0) } ?? "it cannot be read")
    }
}

import CArchive

/// Why a tar archive was not written or read.
package enum TarError: Error, Hashable, CustomStringConvertible {
    /// The file it goes to or comes from: full, gone, not readable.
    case file(String)
    case corrupt(String)

    package var description: String {
        switch self {
        case .file(let reason): "the archive's file: \(reason)"
        case .corrupt(let reason): "the archive is damaged: \(reason)"
        }
    }
}

/// A tar archive (POSIX pax), compressed by zstd, written to a file from its beginning to its end.
package final class TarWriter {
    private let archive: OpaquePointer

    /// - Parameter descriptor: of a file or a pipe, which stays its owner's.
    package init(descriptor: Int32) throws(TarError) {
        guard let archive = archive_write_new() else { throw .file("out of memory") }
        self.archive = archive
        try check(archive_write_set_format_pax_restricted(archive))
        try check(archive_write_add_filter_zstd(archive))
        // A pipe would get zeros up to a tape's block, which no decompressor takes for its own.
        try check(archive_write_set_bytes_in_last_block(archive, 1))
        try check(archive_write_open_fd(archive, descriptor))
    }

    deinit { archive_write_free(archive) }

    /// The next entry: exactly so many bytes have to follow.
    package func begin(_ name: String, byteCount: Int, seconds: Int) throws(TarError) {
        guard let entry = archive_entry_new() else { throw .file("out of memory") }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname(entry, name)
        archive_entry_set_size(entry, Int64(byteCount))
        archive_entry_set_filetype(entry, UInt32(TarEntryType.regular))
        archive_entry_set_perm(entry, 0o600)
        archive_entry_set_mtime(entry, seconds, 0)
        try check(archive_write_header(archive, entry))
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(TarError) {
        guard !bytes.isEmpty else { return }
        let count = archive_write_data(archive, bytes.baseAddress, bytes.count)
        guard count == bytes.count else { throw failure }
    }

    /// Without it the archive has no end.
    package func finish() throws(TarError) { try check(archive_write_close(archive)) }

    private func check(_ status: Int32) throws(TarError) {
        guard status == ARCHIVE_OK else { throw failure }
    }

    private var failure: TarError {
        .file(archive_error_string(archive).map { String(cString: $0) } ?? "cannot be written")
    }
}

/// `AE_IFREG`, whose macro Swift does not see.
enum TarEntryType {
    static let regular = 0o100000
}

import CArchive

/// libarchive's walk through a ZIP, entry after entry, by its central directory.
struct ZipReading: ~Copyable {
    struct Entry {
        let name: String
        let isEncrypted: Bool
    }

    private let archive: OpaquePointer
    private static let partByteCount = 1 << 16

    /// - Parameter memory: outlives this.
    init(_ memory: UnsafeRawBufferPointer) throws(ArchiveError) {
        guard let archive = archive_read_new() else { throw .corrupt }
        // The reader that needs a central directory: the other one takes any local header it comes
        // upon for an entry, also in what a truncated file has left.
        guard archive_read_support_format_zip_seekable(archive) == ARCHIVE_OK,
            archive_read_open_memory(archive, memory.baseAddress, memory.count) == ARCHIVE_OK
        else {
            archive_read_free(archive)
            throw .corrupt
        }
        self.archive = archive
    }

    deinit { archive_read_free(archive) }

    /// Nil at the end. A directory is an entry without content.
    func nextEntry() throws(ArchiveError) -> Entry? {
        var entry: OpaquePointer?
        switch archive_read_next_header(archive, &entry) {
        case ARCHIVE_EOF: return nil
        // A warning is about names or times.
        case ARCHIVE_OK, ARCHIVE_WARN: break
        default: throw .corrupt
        }
        return Entry(
            name: Self.name(of: entry),
            isEncrypted: archive_entry_is_data_encrypted(entry) != 0)
    }

    /// Of the entry that was given last.
    func content(byteCountMax: Int) throws(ArchiveError) -> [UInt8] {
        var content: [UInt8] = []
        var part = [UInt8](repeating: 0, count: Self.partByteCount)
        while true {
            let count = archive_read_data(archive, &part, part.count)
            if count == 0 { return content }
            guard count > 0 else { throw .corrupt }
            guard content.count + count <= byteCountMax else { throw .unpacksTooLarge }
            content += part[..<count]
        }
    }

    /// UTF-8 where the archive says so or it is; the library converts no other.
    private static func name(of entry: OpaquePointer?) -> String {
        if let name = archive_entry_pathname_utf8(entry) { return String(cString: name) }
        return archive_entry_pathname(entry).map { String(cString: $0) } ?? ""
    }
}

/// The last bytes of a ZIP file, where its directory is.
struct ZipEnding: Sendable {
    /// A directory of some thousand entries, more than any office document has.
    private static let byteCountMax = 256 << 10
    private(set) var bytes: [UInt8] = []

    mutating func take(_ more: some Collection<UInt8>) {
        bytes += more
        // Not for every piece that arrives: what is moved then is as much as what came.
        if bytes.count > 2 * Self.byteCountMax {
            bytes.removeFirst(bytes.count - Self.byteCountMax)
        }
    }
}

/// What kind of document a ZIP file is, by the names in its directory or by the type that it states
/// about itself first (OpenDocument 1.3 part 2, section 3.3; EPUB 3.3, section 4.2).
struct ZipContents {
    let type: FileType?

    init(opening: [UInt8], ending: [UInt8]) {
        type = Self.statedType(opening) ?? Self.officeType(Self.names(in: ending))
    }

    /// The first entry is `mimetype`, neither compressed nor with anything between.
    private static func statedType(_ opening: [UInt8]) -> FileType? {
        let name = Array("mimetype".utf8)
        guard opening.count > 38, opening[8] == 0, opening[9] == 0, opening[26] == 8,
            opening[27] == 0, opening[30..<38] == name[...]
        else { return nil }
        let extra = Int(opening[28]) | Int(opening[29]) << 8
        let stated = opening.dropFirst(38 + extra)
        return [FileType.odt, .ods, .odp, .epub].first {
            let value = Array($0.rawValue.utf8)
            // Not the beginning of a longer type: templates and masters end otherwise.
            return stated.starts(with: value)
                && stated.dropFirst(value.count).first != UInt8(ascii: "-")
        }
    }

    private static func officeType(_ names: [String]) -> FileType? {
        guard names.contains("[Content_Types].xml") else { return nil }
        let folders: [(String, FileType)] = [("word/", .docx), ("ppt/", .pptx), ("xl/", .xlsx)]
        return folders.first { folder, _ in names.contains { $0.hasPrefix(folder) } }?.1
    }

    private static let entryCountMax = 10_000
    /// `PK\\1\\2` and what is fixed in an entry of the directory (APPNOTE 6.3.10, section 4.3.12).
    private static let entryMark: [UInt8] = [0x50, 0x4B, 0x01, 0x02]
    private static let entryByteCount = 46

    /// The names in as much of the directory as there is.
    private static func names(in ending: [UInt8]) -> [String] {
        var names: [String] = []
        var position = 0
        while names.count < entryCountMax, position + entryByteCount <= ending.count {
            guard ending[position..<(position + 4)] == entryMark[...] else {
                position += 1
                continue
            }
            let length = Int(ending[position + 28]) | Int(ending[position + 29]) << 8
            let start = position + entryByteCount
            guard start + length <= ending.count else { break }
            names.append(String(decoding: ending[start..<(start + length)], as: UTF8.self))
            position = start + length
        }
        return names
    }
}

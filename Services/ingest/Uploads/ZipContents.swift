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
    /// `PK\5\6`, the end record, and what is fixed in it (APPNOTE 6.3.10, section 4.3.16).
    private static let endMark: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
    private static let endByteCount = 22
    /// `PK\1\2` and what is fixed in an entry of the directory (section 4.3.12).
    private static let entryMark: [UInt8] = [0x50, 0x4B, 0x01, 0x02]
    private static let entryByteCount = 46

    /// The names in as much of the directory as there is. It stands right before the end record;
    /// those of archives inside do not count.
    private static func names(in ending: [UInt8]) -> [String] {
        guard let end = endRecord(in: ending) else { return [] }
        var names: [String] = []
        var position = max(0, end - number(in: ending, at: end + 12, byteCount: 4))
        while names.count < entryCountMax, position + entryByteCount <= end {
            guard ending[position..<(position + 4)] == entryMark[...] else {
                // The beginning of the directory may be cut off.
                position += 1
                continue
            }
            let start = position + entryByteCount
            let length = number(in: ending, at: position + 28, byteCount: 2)
            guard start + length <= end else { break }
            names.append(String(decoding: ending[start..<(start + length)], as: UTF8.self))
            position =
                start + length + number(in: ending, at: position + 30, byteCount: 2)
                + number(in: ending, at: position + 32, byteCount: 2)
        }
        return names
    }

    private static func endRecord(in ending: [UInt8]) -> Int? {
        guard ending.count >= endByteCount else { return nil }
        return (0...(ending.count - endByteCount)).last {
            ending[$0..<($0 + 4)] == endMark[...]
        }
    }

    private static func number(in bytes: [UInt8], at place: Int, byteCount: Int) -> Int {
        (0..<byteCount).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
}

import NIOCore

/// Decides, while a file arrives, what type it is of: the family by its bytes, the kind of a text
/// by its name.
struct FileDetection: Sendable {
    private enum Family {
        case undecided
        case text(TextCheck)
        case zip(ZipEnding)
        /// Microsoft's older container: here only as the shell of an encrypted document.
        case compound
        case known(FileType)
        case unreadable
    }

    /// Enough for every mark, and to see how a text is written.
    private static let openingByteCount = 1024

    private var opening: [UInt8] = []
    private var family = Family.undecided

    /// False as soon as it is known to be nothing that we can read.
    mutating func take(_ bytes: ByteBuffer) -> Bool {
        let view = bytes.readableBytesView
        if case .undecided = family {
            let missing = Self.openingByteCount - opening.count
            opening += view.prefix(missing)
            guard opening.count == Self.openingByteCount else { return true }
            decide()
            check(view.dropFirst(missing))
        } else {
            check(view)
        }
        if case .unreadable = family { return false }
        return true
    }

    /// At the end: nil when it is nothing that we can read.
    mutating func finish(filename: Filename) -> FileType? {
        if case .undecided = family { decide() }
        switch family {
        case .undecided, .unreadable: return nil
        case .known(let type): return type
        case .text(let check):
            return check.isText ? Self.kind(of: opening, filename) : nil
        case .zip(let ending): return ZipContents(opening: opening, ending: ending.bytes).type
        case .compound: return FileType(encryptedNamed: filename.fileExtension)
        }
    }

    private mutating func decide() {
        family = Self.family(of: opening)
        check(opening[...])
    }

    private mutating func check(_ bytes: some Collection<UInt8>) {
        switch family {
        case .text(var check): family = check.take(bytes) ? .text(check) : .unreadable
        case .zip(var ending):
            // Not to be copied while it changes.
            family = .undecided
            ending.take(bytes)
            family = .zip(ending)
        case .undecided, .compound, .known, .unreadable: break
        }
    }

    private static func family(of opening: [UInt8]) -> Family {
        for (mark, type) in marks where opening.starts(with: mark) { return .known(type) }
        if opening.starts(with: Array("RIFF".utf8)),
            opening.dropFirst(8).starts(with: Array("WEBP".utf8))
        {
            return .known(.webp)
        }
        if opening.starts(with: [0x50, 0x4B, 0x03, 0x04]) { return .zip(ZipEnding()) }
        if opening.starts(with: [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) {
            return .compound
        }
        // These begin in ASCII, and some are nothing else.
        if foreignMarks.contains(where: { opening.starts(with: $0) }) { return .unreadable }
        return .text(TextCheck(opening: opening))
    }

    private static let marks: [([UInt8], FileType)] = [
        (Array("%PDF-".utf8), .pdf), (Array("{\\rtf".utf8), .rtf),
        ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .png), ([0xFF, 0xD8, 0xFF], .jpeg),
        (Array("GIF87a".utf8), .gif), (Array("GIF89a".utf8), .gif),
        ([0x49, 0x49, 0x2A, 0x00], .tiff), ([0x4D, 0x4D, 0x00, 0x2A], .tiff),
    ]

    private static let foreignMarks = ["%!PS", "ID3"].map { Array($0.utf8) }

    /// A page without a name that says so is told by how it begins.
    private static func kind(of opening: [UInt8], _ filename: Filename) -> FileType {
        let named = FileType(textNamed: filename.fileExtension)
        guard named == .plainText, filename.fileExtension.isEmpty else { return named }
        let start = String(decoding: opening.drop { $0 <= 0x20 }.prefix(16), as: UTF8.self)
            .lowercased()
        return start.hasPrefix("<!doctype html") || start.hasPrefix("<html") ? .html : .plainText
    }
}

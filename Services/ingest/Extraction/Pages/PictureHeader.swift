/// What a picture says about itself before it is decoded: so that too large a one never is.
struct PictureHeader: Sendable, Hashable {
    enum Format: String, Sendable, CaseIterable {
        case png, jpeg, gif, webp, tiff
    }

    let format: Format
    /// In pixels, one for every page of it; of an animation the canvas.
    let pages: [Size]

    struct Size: Sendable, Hashable {
        let width: Int
        let height: Int

        /// Nil when it cannot be a picture's.
        init?(width: Int, height: Int) {
            // No format of ours counts further than 32 bits, so the product fits.
            guard width > 0, height > 0, width <= Int(UInt32.max), height <= Int(UInt32.max) else {
                return nil
            }
            self.width = width
            self.height = height
        }

        var pixelCount: Int {
            let (count, isTooLarge) = width.multipliedReportingOverflow(by: height)
            return isTooLarge ? .max : count
        }
    }

    /// Nil for what is none of these formats, or broken before it says its size.
    init?(_ bytes: [UInt8]) {
        let reader = PictureBytes(bytes, isLowByteFirst: false)
        let isTIFF = reader.starts(with: "II*\0") || reader.starts(with: "MM\0*")
        if reader.starts(with: "\u{89}PNG\r\n\u{1A}\n", at: 0) {
            self.init(.png, Self.png(reader))
        } else if reader.starts(with: "\u{FF}\u{D8}\u{FF}") {
            self.init(.jpeg, Self.jpeg(reader))
        } else if reader.starts(with: "GIF87a") || reader.starts(with: "GIF89a") {
            self.init(.gif, Self.gif(bytes))
        } else if reader.starts(with: "RIFF"), reader.starts(with: "WEBP", at: 8) {
            self.init(.webp, Self.webp(bytes))
        } else if isTIFF {
            self.init(.tiff, TIFFPages.sizes(bytes))
        } else {
            return nil
        }
    }

    private init?(_ format: Format, _ pages: [Size]) {
        guard !pages.isEmpty else { return nil }
        self.format = format
        self.pages = pages
    }

    private init?(_ format: Format, _ size: Size?) {
        guard let size else { return nil }
        self.init(format, [size])
    }

    /// The first chunk is the header.
    private static func png(_ bytes: PictureBytes) -> Size? {
        guard bytes.starts(with: "IHDR", at: 12), let width = bytes.number(4, at: 16),
            let height = bytes.number(4, at: 20)
        else { return nil }
        return Size(width: width, height: height)
    }

    private static func gif(_ bytes: [UInt8]) -> Size? {
        let little = PictureBytes(bytes, isLowByteFirst: true)
        guard let width = little.number(2, at: 6), let height = little.number(2, at: 8) else {
            return nil
        }
        return Size(width: width, height: height)
    }

    /// Segment after segment to the one that begins a frame.
    private static func jpeg(_ bytes: PictureBytes) -> Size? {
        var place = 2
        while let mark = bytes.number(1, at: place) {
            guard mark == 0xFF else { return nil }
            guard let kind = bytes.number(1, at: place + 1) else { return nil }
            switch kind {
            // Fill bytes; and marks that stand alone.
            case 0xFF: place += 1
            case 0x01, 0xD0...0xD8: place += 2
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
                guard let height = bytes.number(2, at: place + 5),
                    let width = bytes.number(2, at: place + 7)
                else { return nil }
                return Size(width: width, height: height)
            // The scan, or the end, before any frame.
            case 0xD9, 0xDA: return nil
            default:
                guard let length = bytes.number(2, at: place + 2), length >= 2 else { return nil }
                place += 2 + length
            }
        }
        return nil
    }

    /// Its first chunk is of one of three kinds.
    private static func webp(_ bytes: [UInt8]) -> Size? {
        let little = PictureBytes(bytes, isLowByteFirst: true)
        if little.starts(with: "VP8X", at: 12) {
            guard let width = little.number(3, at: 24), let height = little.number(3, at: 27)
            else { return nil }
            return Size(width: width + 1, height: height + 1)
        }
        if little.starts(with: "VP8L", at: 12) {
            guard little.number(1, at: 20) == 0x2F, let bits = little.number(4, at: 21) else {
                return nil
            }
            return Size(width: bits & 0x3FFF + 1, height: bits >> 14 & 0x3FFF + 1)
        }
        if little.starts(with: "VP8 ", at: 12) {
            guard little.number(3, at: 23) == 0x2A019D, let width = little.number(2, at: 26),
                let height = little.number(2, at: 28)
            else { return nil }
            return Size(width: width & 0x3FFF, height: height & 0x3FFF)
        }
        return nil
    }
}

/// Numbers in the bytes of a file, if they are there.
struct PictureBytes {
    private let bytes: [UInt8]
    private let isLowByteFirst: Bool

    init(_ bytes: [UInt8], isLowByteFirst: Bool) {
        self.bytes = bytes
        self.isLowByteFirst = isLowByteFirst
    }

    /// - Parameter mark: of scalars below U+0100, a byte each.
    func starts(with mark: String, at offset: Int = 0) -> Bool {
        let wanted = mark.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        guard offset >= 0, offset <= bytes.count else { return false }
        return bytes[offset...].starts(with: wanted)
    }

    func number(_ byteCount: Int, at offset: Int) -> Int? {
        guard offset >= 0, offset <= bytes.count - byteCount else { return nil }
        var value = 0
        for place in 0..<byteCount {
            let byte = Int(bytes[offset + place])
            value |= byte << (8 * (isLowByteFirst ? place : byteCount - 1 - place))
        }
        return value
    }
}

/// A TIFF is a chain of directories, each of a page.
enum TIFFPages {
    /// Chains are followed so far; they may also lead back into themselves.
    private static let pageCountMax = 10_000
    /// Directories of pictures have a few dozen.
    private static let entryCountMax = 1_000

    static func sizes(_ bytes: [UInt8]) -> [PictureHeader.Size] {
        let file = PictureBytes(bytes, isLowByteFirst: bytes.first == UInt8(ascii: "I"))
        var sizes: [PictureHeader.Size] = []
        var seen: Set<Int> = []
        var next = file.number(4, at: 4)
        while let place = next, place > 0, sizes.count < pageCountMax, seen.insert(place).inserted {
            guard let entryCount = file.number(2, at: place), entryCount <= entryCountMax,
                let size = size(in: file, entries: entryCount, at: place + 2)
            else { break }
            sizes.append(size)
            next = file.number(4, at: place + 2 + 12 * entryCount)
        }
        return sizes
    }

    private static func size(
        in file: PictureBytes, entries: Int, at start: Int
    ) -> PictureHeader.Size? {
        var width: Int?
        var height: Int?
        for entry in 0..<entries {
            let place = start + 12 * entry
            guard let tag = file.number(2, at: place), let type = file.number(2, at: place + 2)
            else { return nil }
            // A short number or a long one; both begin where the value does.
            let value = file.number(type == 3 ? 2 : 4, at: place + 8)
            // Of several the first counts, as for those who draw it.
            if tag == 256 { width = width ?? value }
            if tag == 257 { height = height ?? value }
            if tag > 257 { break }
        }
        guard let width, let height else { return nil }
        return PictureHeader.Size(width: width, height: height)
    }
}

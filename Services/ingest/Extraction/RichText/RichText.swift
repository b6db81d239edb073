import CharacterEncoding

/// Rich Text Format: paragraphs, headings by outline level, list items and tables.
struct RichText {
    /// What a group inherits from the one around it, and gives back at its end.
    private struct Group {
        /// In a destination that is no text of the document.
        var isSkipped = false
        /// Formatted as not to be seen.
        var isHidden = false
        var isTitle = false
        var isStyle = false
        /// Of what is text.
        var place = RichTextBlocks.Place.text
        /// How many characters stand in for a `\u` that a reader does not know.
        var fallbackCount = 1
        var encoding: CharacterEncoding
    }

    private var scanner: RichTextScanner
    private let limits: ReadingLimits
    private var groups: [Group] = []
    private var group = Group(encoding: .windowsLatin1)
    private var codePage = CharacterEncoding.windowsLatin1
    private var fonts: [Int: CharacterEncoding] = [:]
    private var fontInTable: Int?
    private var styles = RichTextStyles()
    private var pendingBytes: [UInt8] = []
    private var skippedCount = 0
    private var highSurrogate: Int?
    private var title = ""
    private var text: RichTextBlocks

    static func read(
        _ bytes: [UInt8], limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        guard bytes.starts(with: Array("{\\rtf".utf8)) else { throw .corrupt }
        var reader = RichText(scanner: RichTextScanner(bytes), limits: limits)
        return try reader.read()
    }

    private init(scanner: RichTextScanner, limits: ReadingLimits) {
        self.scanner = scanner
        self.limits = limits
        text = RichTextBlocks(limits: limits)
    }

    private mutating func read() throws(ExtractionFailure) -> DocumentBlocks {
        while let token = scanner.next() {
            if case .byte = token {} else { flushBytes() }
            switch token {
            case .open:
                guard groups.count < limits.depthMax else { throw .tooDeep }
                groups.append(group)
            case .close:
                guard let outer = groups.popLast() else { break }
                if group.place == .note, outer.place != .note { text.endNote() }
                group = outer
                skippedCount = 0
            case .byte(let byte): take(byte)
            case .symbol(let sign): take(symbol: sign)
            case .word(let word, let number): try take(word, number)
            }
        }
        flushBytes()
        let title = title.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return DocumentBlocks(title: title.isEmpty ? nil : title, blocks: try text.finish())
    }

    private mutating func take(_ byte: UInt8) {
        if skippedCount > 0 {
            skippedCount -= 1
        } else if !group.isSkipped {
            pendingBytes.append(byte)
        }
    }

    /// Bytes are text together: a character may have two.
    private mutating func flushBytes() {
        guard !pendingBytes.isEmpty else { return }
        append(TextDecoding.cleaned(group.encoding.decode(pendingBytes)))
        pendingBytes = []
    }

    private mutating func append(_ piece: String) {
        if group.isSkipped || group.isHidden { return }
        if group.isTitle {
            title += piece
        } else if group.isStyle {
            styles.takeName(piece)
        } else {
            text.append(piece, to: group.place)
        }
    }

    private mutating func take(symbol: UInt8) {
        switch symbol {
        case UInt8(ascii: "\\"), UInt8(ascii: "{"), UInt8(ascii: "}"):
            append(String(UnicodeScalar(symbol)))
        case UInt8(ascii: "~"): append("\u{A0}")
        case UInt8(ascii: "_"): append("-")
        // What follows is a destination that a reader may not know, and we know few.
        case UInt8(ascii: "*"): group.isSkipped = true
        default: break
        }
    }

    private mutating func take(_ word: String, _ number: Int?) throws(ExtractionFailure) {
        switch word {
        case "u": takeUnicode(number ?? 0)
        case "uc": group.fallbackCount = min(max(number ?? 1, 0), 16)
        case "bin": scanner.skip(number ?? 0)
        case "ansicpg", "mac", "pc", "pca": setCodePage(word, number)
        case "f", "fcharset": takeFont(word, number)
        case "fonttbl":
            group.isSkipped = true
            fontInTable = 0
        case "title": (group.isTitle, group.isSkipped) = (true, false)
        case "stylesheet": group.isStyle = true
        // The text in a shape, which is otherwise numbers.
        case "shptxt": group.isSkipped = false
        case "listtext", "pntext": group.place = .label
        // Its mark says that a reader may leave it out.
        case "footnote": (group.place, group.isSkipped) = (.note, false)
        case _ where Self.hiddenDestinations.contains(word): group.isSkipped = true
        // Text marked as deleted, and text that is not to be seen.
        case "v", "deleted": group.isHidden = number != 0
        case _ where Self.characters[word] != nil: append(Self.characters[word] ?? "")
        case _ where group.isSkipped: break
        case _ where group.isStyle: styles.take(word, number)
        case "s": text.headingLevel = styles.headingLevel(of: number ?? 0)
        default: try text.take(word, number, at: group.place)
        }
    }

    /// Signed 16-bit units; characters beyond the first plane come as two.
    private mutating func takeUnicode(_ number: Int) {
        let unit = number < 0 ? number + 0x10000 : number
        skippedCount = group.fallbackCount
        switch unit {
        case 0xD800...0xDBFF: highSurrogate = unit
        case 0xDC00...0xDFFF:
            let value = 0x10000 + ((highSurrogate ?? 0xD800) - 0xD800) << 10 + unit - 0xDC00
            append(highSurrogate == nil ? "\u{FFFD}" : Self.character(value))
            highSurrogate = nil
        default: append(TextDecoding.cleaned(Self.character(unit)))
        }
    }

    private static func character(_ value: Int) -> String {
        UInt32(exactly: value).flatMap(Unicode.Scalar.init).map { String($0) } ?? "\u{FFFD}"
    }

    private mutating func setCodePage(_ word: String, _ number: Int?) {
        let page = ["mac": 10000, "pc": 437, "pca": 850][word] ?? number ?? 1252
        codePage = CharacterEncoding(codePage: page) ?? .windowsLatin1
        group.encoding = codePage
    }

    /// In the font table a font gets its encoding, in the text it brings it.
    private mutating func takeFont(_ word: String, _ number: Int?) {
        let isTable = group.isSkipped && fontInTable != nil
        switch (word, isTable) {
        case ("f", true): fontInTable = number ?? 0
        case ("f", false): group.encoding = fonts[number ?? 0] ?? codePage
        case ("fcharset", true):
            if let page = Self.codePages[number ?? 0], let font = fontInTable {
                fonts[font] = CharacterEncoding(codePage: page)
            }
        default: break
        }
    }

    /// Windows character sets; others leave the document's own.
    private static let codePages = [
        77: 10000, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258,
        177: 1255, 178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250,
    ]

    private static let hiddenDestinations: Set<String> = [
        "colortbl", "info", "pict", "object", "header", "headerl", "headerr",
        "headerf", "footer", "footerl", "footerr", "footerf", "fldinst", "ftnsep", "ftnsepc",
        "generator", "listtable", "listoverridetable", "revtbl", "rsidtbl", "themedata", "xe", "tc",
        "datastore", "latentstyles", "nonshppict", "shprslt", "template", "bkmkstart", "bkmkend",
        "mmathPr",
    ]

    private static let characters = [
        "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•",
        "endash": "–", "emdash": "—", "tab": "\t", "line": "\n", "emspace": " ", "enspace": " ",
        "qmspace": " ", "softline": "\n",
    ]
}

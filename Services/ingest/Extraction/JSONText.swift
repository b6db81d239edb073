/// JSON (RFC 8259), or a line of it after another, as text a person would search: names and values
/// in their order, objects under the names that lead to them.
struct JSONText {
    private var scanner: JSONScanner
    private var blocks: [TextBlock] = []
    private var lines: [String] = []
    /// Of the lines so far: a name may stand before each of many values.
    private var byteCount = 0
    private let byteCountMax: Int

    /// Of the names that lead to a value, in characters; the last ones count.
    private static let pathLengthMax = 200
    /// Headings deeper than this would be all there is in a chunk.
    private static let headingLevelMax = 4

    static func read(
        _ text: String, limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        var reader = JSONText(
            scanner: JSONScanner(text, depthMax: limits.depthMax),
            byteCountMax: limits.textByteCountMax)
        repeat {
            try reader.takeValue(named: "", level: 1)
            reader.endLines()
        } while try reader.scanner.hasMore()
        return DocumentBlocks(title: nil, blocks: reader.blocks)
    }

    private init(scanner: JSONScanner, byteCountMax: Int) {
        self.scanner = scanner
        self.byteCountMax = byteCountMax
    }

    private mutating func append(
        _ value: String, named name: String
    ) throws(ExtractionFailure) {
        let line = name.isEmpty ? value : "\(name): \(value)"
        byteCount += line.utf8.count
        guard byteCount <= byteCountMax else { throw .tooMuchText }
        lines.append(line)
    }

    private mutating func takeValue(named name: String, level: Int) throws(ExtractionFailure) {
        switch try scanner.next() {
        case .beginObject: try takeObject(named: name, level: level)
        case .beginArray: try takeArray(named: name, level: level)
        case .scalar(let value): try append(value, named: name)
        default: throw .corrupt
        }
    }

    private mutating func takeObject(named name: String, level: Int) throws(ExtractionFailure) {
        let isSection = enter(name, level: level)
        while case .name(let member) = try scanner.next() {
            let path = isSection || name.isEmpty ? member : "\(name).\(member)"
            try takeValue(
                named: String(path.suffix(Self.pathLengthMax)), level: isSection ? level + 1 : level
            )
        }
        if isSection { endLines() }
    }

    /// Scalars stand on one line; anything else for itself, a block each.
    private mutating func takeArray(named name: String, level: Int) throws(ExtractionFailure) {
        var scalars: [String] = []
        var isSection = false
        while true {
            switch try scanner.next() {
            case .scalar(let value): scalars.append(value)
            case .beginObject:
                if !isSection { isSection = enter(name, level: level) }
                try takeObject(named: isSection ? "" : name, level: level + 1)
                endLines()
            case .beginArray:
                try takeArray(named: name, level: level + 1)
            case .end:
                guard !scalars.isEmpty else { return }
                try append(scalars.joined(separator: ", "), named: isSection ? "" : name)
                return
            case .name: throw .corrupt
            }
        }
    }

    /// True if what follows stands under a heading of this name.
    private mutating func enter(_ name: String, level: Int) -> Bool {
        guard !name.isEmpty, level <= Self.headingLevelMax else { return false }
        endLines()
        blocks.append(TextBlock(.heading(level: level), name))
        return true
    }

    private mutating func endLines() {
        if !lines.isEmpty { blocks.append(TextBlock(.list, lines.joined(separator: "\n"))) }
        lines = []
    }
}

/// Neighbours that are read as one, and places within.
extension Chunk {
    /// White space that the chunker leaves out between two pieces of a text, at most.
    private static let gapMax = 2

    /// This chunk and the one right after it in the same revision, as one. Offsets into its text stay
    /// offsets into the revision's. Nil when they do not touch, or stand on different pages.
    package func joined(with next: Chunk) -> Chunk? {
        let gap = next.span.lowerBound - span.upperBound
        guard next.ordinal == ordinal + joinedCount, next.page == page, gap <= Self.gapMax,
            span.lowerBound <= next.span.lowerBound, span.upperBound < next.span.upperBound
        else { return nil }
        let more =
            gap >= 0
            ? String(repeating: "\n", count: gap) + next.text
            : String(String.UnicodeScalarView(next.text.unicodeScalars.dropFirst(-gap)))
        let path = zip(headingPath, next.headingPath).prefix { $0 == $1 }.map(\.0)
        return Chunk(
            id: id, ordinal: ordinal, text: text + more, page: page,
            span: span.lowerBound..<next.span.upperBound, headingPath: path, language: language,
            boxes: boxes + next.boxes.filter { !boxes.contains($0) },
            joinedCount: joinedCount + next.joinedCount)
    }

    /// All of them in a row as one; nil when there are none, or they are not neighbours.
    package static func joined(_ chunks: [Chunk]) -> Chunk? {
        guard let first = chunks.first else { return nil }
        return chunks.dropFirst().reduce(first) { $0?.joined(with: $1) }
    }

    /// Where the lines that a part of the text touches stand on the page: all of the chunk's where it
    /// is not known which line is which.
    ///
    /// - Parameter part: in Unicode scalars of the text.
    package func boxes(of part: Range<Int>) -> [LineBox] {
        var lines: [Range<Int>] = []
        var start = 0
        for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
            if !line.isEmpty { lines.append(start..<start + line.count) }
            start += line.count + 1
        }
        guard lines.count == boxes.count else { return boxes }
        return zip(lines, boxes).filter { $0.0.overlaps(part) }.map(\.1)
    }
}

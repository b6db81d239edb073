import Domain
import Testing

@Suite("Joined chunks")
struct ChunkJoiningTests {
    private static let lines = (0..<4).map {
        LineBox(left: 10, top: Double($0) * 12, width: 100, height: 10)
    }

    private func chunk(
        _ ordinal: Int, _ text: String, at start: Int, boxes: [LineBox] = [], page: Int? = 1
    ) -> Chunk {
        Chunk(
            revision: Revision.ID(), ordinal: ordinal, text: text, page: page,
            span: start..<start + text.unicodeScalars.count, headingPath: ["A", "B"],
            language: .italian, boxes: boxes)
    }

    @Test("keep every offset what it is in the document, whatever stands between or twice")
    func offsets() throws {
        let text = Array("È vero. Due.\n\nTre. Quattro.".unicodeScalars)
        func piece(_ ordinal: Int, _ range: Range<Int>) -> Chunk {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: text[range])
            return chunk(ordinal, String(view), at: range.lowerBound)
        }
        let all = try #require(
            Chunk.joined([piece(0, 0..<12), piece(1, 8..<18), piece(2, 14..<27)]))
        #expect(Array(all.text.unicodeScalars) == text)
        #expect(all.span == 0..<27)
        #expect(all.headingPath == ["A", "B"])
    }

    @Test("are none where pieces do not follow one another")
    func strangers() {
        let one = chunk(0, "One.", at: 0)
        #expect(one.joined(with: chunk(2, "Three.", at: 5)) == nil)
        #expect(one.joined(with: chunk(1, "Two.", at: 9)) == nil)
        #expect(one.joined(with: chunk(1, "Two.", at: 5, page: 2)) == nil)
        #expect(one.joined(with: chunk(1, "ne.", at: 1)) == nil)
        #expect(Chunk.joined([]) == nil)
    }

    @Test("know on which lines a part of theirs stands")
    func boxes() throws {
        let one = chunk(0, "First line\nsecond line", at: 0, boxes: Array(Self.lines[..<2]))
        let two = chunk(1, "third line\nfourth", at: 24, boxes: Array(Self.lines[2...]))
        let both = try #require(one.joined(with: two))
        #expect(both.boxes == Self.lines)
        #expect(both.boxes(of: 0..<10) == [Self.lines[0]])
        #expect(both.boxes(of: 6..<17) == Array(Self.lines[..<2]))
        #expect(both.boxes(of: 24..<30) == [Self.lines[2]])
        let unknown = chunk(0, "One\ntwo\nthree", at: 0, boxes: [Self.lines[0]])
        #expect(unknown.boxes(of: 0..<3) == [Self.lines[0]])
    }
}

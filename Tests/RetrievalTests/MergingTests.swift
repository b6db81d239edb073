import Domain
import Testing

@testable import Retrieval

@Suite("Merged sources")
struct MergingTests {
    private func chunk(
        _ document: Document.ID, _ ordinal: Int, _ score: Double, _ text: String? = nil,
        at start: Int? = nil, page: Int? = nil
    ) -> RetrievedChunk {
        let revision = Revision.ID(rawValue: document.rawValue)
        let text = text ?? "Piece \(ordinal) of \(document) says \(ordinal * 17)."
        let start = start ?? ordinal * 1000
        return RetrievedChunk(
            chunk: Chunk(
                revision: revision, ordinal: ordinal, text: text, page: page,
                span: start..<start + text.unicodeScalars.count, headingPath: [],
                language: .other),
            documentID: document, kind: .upload, title: "a file", path: nil, url: nil,
            tags: [], score: score)
    }

    @Test("hold no chunk twice that was found in several ways")
    func unique() {
        let file = Document.ID()
        let found = [chunk(file, 0, 0.9), chunk(file, 0, 0)]
        let merged = Merging.merged(
            attachments: found, others: [chunk(file, 0, 0.8)], topK: 5)
        #expect(merged.map(\.chunk.ordinal) == [0])
    }

    @Test("represent each named file before a second piece of any, and leave room for others")
    func represented() {
        let (one, two, page) = (Document.ID(), Document.ID(), Document.ID())
        let merged = Merging.merged(
            attachments: [chunk(one, 0, 0.9), chunk(one, 1, 0.8), chunk(two, 0, 0.1)],
            others: [chunk(page, 0, 0.95), chunk(page, 1, 0.9), chunk(page, 2, 0.5)], topK: 4)
        #expect(merged.map(\.documentID) == [one, two, page, page])
        #expect(zip(merged, merged.dropFirst()).allSatisfy { $0.score >= $1.score })
    }

    private static let copy = """
        The statute of the community was approved by the assembly of the members in Trento on the \
        third of May and says who may join, what it costs and how the incentive is shared.
        """

    @Test("hold a text once, of however many files and with whatever few words changed")
    func duplicates() {
        let (one, two, three) = (Document.ID(), Document.ID(), Document.ID())
        let changed = Self.copy.replacing("third of May", with: "4 May")
        let merged = Merging.merged(
            attachments: [],
            others: [
                chunk(one, 0, 0.9, Self.copy), chunk(two, 0, 0.8, changed.uppercased()),
                chunk(three, 0, 0.7, "The statute says who may join."),
            ], topK: 5)
        #expect(merged.map(\.documentID) == [one, three])
    }

    @Test("hold a named file that repeats another one all the same")
    func namedDuplicates() {
        let (one, two, page) = (Document.ID(), Document.ID(), Document.ID())
        let merged = Merging.merged(
            attachments: [chunk(one, 0, 0.9, Self.copy), chunk(two, 0, 0.8, Self.copy)],
            others: [chunk(page, 0, 0.95, Self.copy)], topK: 5)
        #expect(merged.map(\.documentID) == [one, two])
    }

    @Test("read neighbours as one, in the place of the better, whichever was found first")
    func neighbours() throws {
        let (file, page) = (Document.ID(), Document.ID())
        let first = chunk(file, 3, 0.5, "One. Two.", at: 100)
        // It begins with what the one before ends with, since a sentence would be cut.
        let second = chunk(file, 4, 0.9, "Two. Three.", at: 105)
        let third = chunk(file, 5, 0.4, "Four.", at: 118)
        let merged = Merging.merged(
            attachments: [], others: [second, chunk(page, 0, 0.8), third, first], topK: 5)
        #expect(merged.count == 2)
        let joined = try #require(merged.first?.chunk)
        #expect(joined.id == first.chunk.id)
        #expect(joined.joinedCount == 3)
        #expect(joined.text == "One. Two. Three.\n\nFour.")
        #expect(joined.span == 100..<123)
        #expect(merged[0].score == 0.9)
    }

    @Test("do not join what is apart, on two pages, or too long together")
    func apart() {
        let file = Document.ID()
        let chunks = [
            chunk(file, 0, 0.9, "One one.", at: 0), chunk(file, 1, 0.8, "Two two.", at: 20),
            chunk(file, 2, 0.7, "Three three.", at: 29, page: 2),
            chunk(file, 7, 0.6, "Seven seven.", at: 42, page: 2),
        ]
        #expect(Merging.merged(attachments: [], others: chunks, topK: 9).count == 4)
        let row = (0..<7).map { chunk(file, $0, 0.9, "Piece no \($0).", at: $0 * 12) }
        let merged = Merging.merged(attachments: [], others: row, topK: 9)
        #expect(merged.map(\.chunk.joinedCount).max() == 3)
        #expect(merged.reduce(0) { $0 + $1.chunk.joinedCount } == 7)
    }
}

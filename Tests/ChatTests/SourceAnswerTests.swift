import Domain
import Foundation
import Testing

@testable import Chat

@Suite("Source on the wire")
struct SourceAnswerTests {
    private func metadata(page: Int?, boxes: [LineBox]) throws -> [String: Any] {
        let chunk = Chunk(
            revision: Revision.ID(), ordinal: 0, text: "Text.", page: page, span: 3..<8,
            headingPath: [], language: .english, boxes: boxes)
        let source = NumberedSource(
            source: "a.pdf", title: "a.pdf", chunk: chunk, documentID: Document.ID(),
            kind: .upload, path: nil, url: nil, tags: [], score: 1)
        let body = try JSONSerialization.jsonObject(
            with: JSONEncoder().encode(SourceAnswer(source)))
        return try #require((body as? [String: Any])?["metadata"] as? [String: Any])
    }

    @Test("says where its lines stand on their page, if that is known")
    func boxes() throws {
        let box = LineBox(left: 56.8, top: 127, width: 481, height: 14.3)
        let told = try metadata(page: 3, boxes: [box, box])
        let boxes = try #require(told["boxes"] as? [[String: Double]])
        #expect(boxes.count == 2)
        #expect(
            boxes[0] == ["page": 3, "left": 56.8, "top": 127, "width": 481, "height": 14.3])
        #expect(try metadata(page: 3, boxes: [])["boxes"] == nil)
        #expect(try metadata(page: nil, boxes: [box])["boxes"] == nil)
    }
}

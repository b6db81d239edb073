import Domain
import FoundationEssentials

/// Frames as they are stored: one after the other, each with its id on its first line.
enum StoredFrames {
    /// The frames with a greater id, as they are.
    static func after(_ id: Int, in text: String) -> String {
        var rest = text[...]
        while let frame = next(in: rest), frame.id <= id { rest = rest[frame.end...] }
        return String(rest)
    }

    /// What an answer had said when its frames end.
    struct Said {
        var text = ""
        var citations: [Citation] = []
    }

    struct Citation: Decodable {
        let marker: String
        let sourceIndex: Int
        let sentence: String
        let verified: Bool
        /// Of the quote in its document, where there is one.
        let start: Int?
        let end: Int?

        private enum CodingKeys: String, CodingKey {
            case marker, sentence, verified, start, end
            case sourceIndex = "source_index"
        }

        /// In Unicode scalars of the source's text; nil where there is none.
        func quote(in source: Chunk) -> Range<Int>? {
            guard let start, let end, source.span.lowerBound <= start, start < end,
                end <= source.span.upperBound
            else { return nil }
            return start - source.span.lowerBound..<end - source.span.lowerBound
        }
    }

    static func said(in text: String) throws -> Said {
        var said = Said()
        var rest = text[...]
        while let frame = next(in: rest) {
            let data = Data(rest[frame.dataStart..<frame.end].utf8)
            switch try JSONDecoder().decode(Kind.self, from: data).type {
            case "token":
                said.text += try JSONDecoder().decode(Event<String>.self, from: data).data
            case "citation":
                said.citations.append(
                    try JSONDecoder().decode(Event<Citation>.self, from: data).data)
            default: break
            }
            rest = rest[frame.end...]
        }
        return said
    }

    private struct Kind: Decodable { let type: String }
    private struct Event<Content: Decodable>: Decodable { let data: Content }

    private struct Frame {
        let id: Int
        let dataStart: String.Index
        let end: String.Index
    }

    /// Nil at the end, and where something else stands.
    private static func next(in text: Substring) -> Frame? {
        let bytes = text.utf8
        guard bytes.starts(with: "id: ".utf8),
            let line = bytes.firstIndex(of: UInt8(ascii: "\n")),
            let id = Int(text[bytes.index(bytes.startIndex, offsetBy: 4)..<line])
        else { return nil }
        // JSON holds no line ends: the data's line ends the frame, and a blank one follows.
        let second = bytes.index(after: line)
        guard bytes[second...].starts(with: "data: ".utf8),
            let last = bytes[second...].firstIndex(of: UInt8(ascii: "\n")),
            let end = bytes.index(last, offsetBy: 2, limitedBy: bytes.endIndex)
        else { return nil }
        return Frame(id: id, dataStart: bytes.index(second, offsetBy: 6), end: end)
    }
}

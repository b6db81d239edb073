import Crypto
import Database
import Domain
import TextAnalysis

/// A piece of a text on its way to become a chunk: what will be embedded, and its hash.
struct ChunkDraft: Sendable {
    let piece: Chunker.Piece
    let embeddedText: String
    let textHash: [UInt8]

    init(_ piece: Chunker.Piece, of text: String) {
        self.piece = piece
        embeddedText = Chunk.embeddedText(text.slice(piece.range), headingPath: piece.headingPath)
        textHash = Self.hash(of: embeddedText)
    }

    static func hash(of embeddedText: String) -> [UInt8] {
        Array(SHA256.hash(data: Array(embeddedText.utf8)))
    }

    /// Chunks in the order of the drafts, their spans counted in Unicode scalars.
    ///
    /// - Parameter stated: the document's language, where it says one.
    static func chunks(
        of drafts: [ChunkDraft], in extracted: ExtractedText, revision: Revision.ID,
        language stated: Language? = nil
    ) -> [NewChunk] {
        let text = extracted.text
        let lines = LinePlaces(of: extracted)
        let scalarOffsets = ScalarOffsets(
            of: drafts.flatMap { [$0.piece.range.lowerBound, $0.piece.range.upperBound] },
            in: text)
        return drafts.enumerated().map { ordinal, draft in
            let body = text.slice(draft.piece.range)
            let language = stated ?? Analyser.language(of: body)
            let chunk = Chunk(
                revision: revision, ordinal: ordinal, text: body, page: draft.piece.page,
                span: scalarOffsets[draft.piece.range], headingPath: draft.piece.headingPath,
                language: language, boxes: lines.boxes(in: draft.piece.range))
            let terms = Analyser.terms(of: draft.embeddedText, language: language)
            return NewChunk(
                chunk: chunk, textHash: draft.textHash, searchText: terms.joined(separator: " "))
        }
    }
}

/// Offsets in UTF-8 as offsets in Unicode scalars, found in one pass over the text.
struct ScalarOffsets {
    private var scalars: [Int: Int] = [:]

    init(of utf8Offsets: [Int], in text: String) {
        var wanted = Set(utf8Offsets).sorted()[...]
        var scalarCount = 0
        var byteCount = 0
        for byte in text.utf8 {
            guard let next = wanted.first else { return }
            if byteCount == next {
                scalars[next] = scalarCount
                wanted.removeFirst()
            }
            byteCount += 1
            // Only a scalar's last byte is followed by no continuation: count its first instead.
            if byte & 0xC0 != 0x80 { scalarCount += 1 }
        }
        for end in wanted { scalars[end] = scalarCount }
    }

    subscript(range: Range<Int>) -> Range<Int> {
        (scalars[range.lowerBound] ?? 0)..<(scalars[range.upperBound] ?? 0)
    }
}

/// Which lines of a text stand where on their page.
struct LinePlaces {
    /// In the order of the text.
    private var lines: [(range: Range<Int>, box: LineBox)] = []

    init(of extracted: ExtractedText) {
        for block in extracted.blocks {
            let texts = extracted.text.slice(block.range).utf8.split(
                separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            // Of what has not a box for every line, no line's is known.
            guard texts.count == block.lines.count else { continue }
            var start = block.range.lowerBound
            for (text, box) in zip(texts, block.lines) {
                lines.append((start..<start + text.count, box))
                start += text.count + 1
            }
        }
    }

    /// Of the lines that the range touches.
    func boxes(in range: Range<Int>) -> [LineBox] {
        var low = 0
        var high = lines.count
        while low < high {
            let middle = (low + high) / 2
            if lines[middle].range.upperBound <= range.lowerBound {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return lines[low...].prefix { $0.range.lowerBound < range.upperBound }.map(\.box)
    }
}

/// Cuts a text along its structure: headings, then blocks, then sentences or lines, then words.
///
/// Pieces never cross a heading. Neighbours overlap only where a sentence had to be cut.
struct Chunker: Sendable {
    /// A piece of the text that will be embedded with its headings before it.
    struct Piece: Sendable, Hashable {
        /// In bytes of the text's UTF-8.
        var range: Range<Int>
        let page: Int?
        let headingPath: [String]
    }

    /// What of the window the text and its headings may fill, by our own estimate: the rest is for
    /// the model's prefix and for what the estimate misses.
    let tokenCountMax: Int
    /// Where sentences begin and end.
    let sentences: @Sendable (String) -> [Range<String.Index>]

    /// However much a model reads, one vector stands for one thought.
    private static let usefulTokenCountMax = 512

    init(
        windowTokenCount: Int, sentences: @escaping @Sendable (String) -> [Range<String.Index>]
    ) {
        tokenCountMax = max(16, min(windowTokenCount, Self.usefulTokenCountMax) * 7 / 8)
        self.sentences = sentences
    }

    func pieces(of extracted: ExtractedText) -> [Piece] {
        var pieces: [Piece] = []
        var headings = HeadingPath(title: extracted.title, tokenCountMax: tokenCountMax / 3)
        var section: [ExtractedText.Placed] = []
        /// A heading that has nothing under it yet, not even another heading.
        var bareHeading: ExtractedText.Placed?

        func endSection() {
            if section.isEmpty, let bareHeading { section = [bareHeading] }
            pieces += self.pieces(of: section, path: headings.path, in: extracted.text)
            section = []
            bareHeading = nil
        }
        for block in extracted.blocks {
            guard case .heading(let level) = block.kind else {
                section.append(block)
                continue
            }
            if !section.isEmpty || !headings.isAbove(level) { endSection() }
            headings.enter(extracted.text.slice(block.range), level: level)
            bareHeading = block
        }
        endSection()
        return pieces
    }

    /// Two or more pieces that cover the same text; the piece itself if it cannot be cut.
    func split(_ piece: Piece, of text: String) -> [Piece] {
        let half = TokenEstimate.of(text.slice(piece.range)) / 2
        guard half > 0 else { return [piece] }
        return cut(piece.range, isMadeOfLines: false, budget: half, in: text).map { range in
            Piece(range: range, page: piece.page, headingPath: piece.headingPath)
        }
    }

    private func pieces(
        of section: [ExtractedText.Placed], path: [String], in text: String
    ) -> [Piece] {
        let pathTokenCount = path.reduce(0) { $0 + TokenEstimate.of($1) + 1 }
        let budget = tokenCountMax - pathTokenCount
        var pieces: [Piece] = []
        var tokenCount = 0
        for block in section {
            let header = header(of: block, budget: budget)
            let headerTokenCount = header.map { TokenEstimate.of($0) + 1 } ?? 0
            for range in cut(
                block.range, isMadeOfLines: block.kind.isMadeOfLines,
                budget: budget - headerTokenCount, in: text)
            {
                let added = TokenEstimate.of(text.slice(range)) + 1
                // The first rows of a table have the header's row before them.
                let isFirst = range.lowerBound == block.range.lowerBound
                let ownPath = isFirst ? path : path + [header].compactMap(\.self)
                if let last = pieces.last, last.page == block.page, last.headingPath == ownPath,
                    range.lowerBound > last.range.upperBound,
                    tokenCount + added + headerTokenCount <= budget
                {
                    pieces[pieces.count - 1].range = last.range.lowerBound..<range.upperBound
                    tokenCount += added
                } else {
                    pieces.append(Piece(range: range, page: block.page, headingPath: ownPath))
                    tokenCount = added
                }
            }
        }
        return pieces
    }

    /// The row that says what the columns are, for rows that are cut off from it.
    private func header(of block: ExtractedText.Placed, budget: Int) -> String? {
        guard let row = block.tableHeader else { return nil }
        let header = HeadingPath.shortened(row)
        // It is a help to the rows, not more than they are.
        return TokenEstimate.of(header) < budget / 3 ? header : nil
    }

    /// The range itself if it fits, else its lines or sentences, those too long cut by words.
    private func cut(
        _ range: Range<Int>, isMadeOfLines: Bool, budget: Int, in text: String
    ) -> [Range<Int>] {
        let slice = text.slice(range)
        if TokenEstimate.of(slice) <= budget { return [range] }
        let parts = isMadeOfLines ? lines(of: slice) : sentences(slice)
        var units: [Range<Int>] = []
        for part in parts {
            guard let trimmed = slice.trimmed(part) else { continue }
            let start = range.lowerBound + slice.utf8Offset(of: trimmed.lowerBound)
            let end = range.lowerBound + slice.utf8Offset(of: trimmed.upperBound)
            let unit = start..<end
            if TokenEstimate.of(slice[trimmed]) <= budget {
                units.append(unit)
            } else if isMadeOfLines {
                units += cut(unit, isMadeOfLines: false, budget: budget, in: text)
            } else {
                units += WordWindow(budget: budget).cut(unit, of: text)
            }
        }
        return packed(units, budget: budget, in: text)
    }

    /// Neighbours joined as long as they fit together.
    private func packed(_ units: [Range<Int>], budget: Int, in text: String) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var tokenCount = 0
        for unit in units {
            let added = TokenEstimate.of(text.slice(unit))
            // Parts of one word have nothing between them, and overlapping ones stay apart.
            if let last = result.last, unit.lowerBound > last.upperBound,
                tokenCount + added <= budget
            {
                result[result.count - 1] = last.lowerBound..<unit.upperBound
                tokenCount += added
            } else {
                result.append(unit)
                tokenCount = added
            }
        }
        return result
    }

    private func lines(of text: String) -> [Range<String.Index>] {
        text.split(separator: "\n").map { $0.startIndex..<$0.endIndex }
    }
}

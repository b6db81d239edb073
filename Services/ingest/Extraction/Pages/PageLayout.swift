import Domain

/// What stands on a page: blocks of lines in reading order.
struct PageLayout: Sendable, Hashable, Codable {
    struct Line: Sendable, Hashable, Codable {
        var text: String
        var box: LineBox
    }

    struct Block: Sendable, Hashable, Codable {
        var lines: [Line]
    }

    /// 1-based.
    var number: Int
    /// In the unit of the boxes.
    var width: Double
    var height: Double
    var blocks: [Block] = []
    /// By character recognition: the height of a line says nothing about the size of its letters.
    var isRecognised = false

    /// With boxes in another unit, for another place in the document.
    func scaled(by factor: Double, number: Int) -> PageLayout {
        var page = self
        page.number = number
        page.width *= factor
        page.height *= factor
        for block in page.blocks.indices {
            for line in page.blocks[block].lines.indices {
                let box = page.blocks[block].lines[line].box
                page.blocks[block].lines[line].box = LineBox(
                    left: box.left * factor, top: box.top * factor, width: box.width * factor,
                    height: box.height * factor)
            }
        }
        return page
    }
}

/// The table of places that poppler (`pdftotext -tsv`) and tesseract (`tsv`) both write: a row for
/// every page (level 1), block (3), line (4) and word (5), with its rectangle.
enum LayoutTable {
    /// Words that tesseract is less sure of, in percent, are rather spots than letters.
    private static let confidenceMin = 30.0
    private static let columnCount = 12

    static func pages(_ table: [UInt8]) -> [PageLayout] {
        var pages: [PageLayout] = []
        for row in table.split(separator: UInt8(ascii: "\n")) {
            guard let row = Row(row) else { continue }
            if row.level == 1 {
                pages.append(
                    PageLayout(number: row.page, width: row.box.width, height: row.box.height))
            } else if !pages.isEmpty {
                pages[pages.count - 1].take(row)
            }
        }
        return pages.map(\.withoutEmptyLines)
    }

    fileprivate struct Row {
        let level: Int
        let page: Int
        let box: LineBox
        let confidence: Double
        let text: String

        /// Nil for the heading of the columns, and for what is no row.
        init?(_ bytes: ArraySlice<UInt8>) {
            let cells = bytes.split(
                separator: UInt8(ascii: "\t"), maxSplits: columnCount - 1,
                omittingEmptySubsequences: false)
            guard cells.count == columnCount else { return nil }
            let numbers = cells[..<11].compactMap { Double(String(decoding: $0, as: UTF8.self)) }
            guard numbers.count == 11, numbers.allSatisfy({ $0.isFinite && abs($0) < 1e7 }) else {
                return nil
            }
            level = Int(numbers[0])
            page = Int(numbers[1])
            box = LineBox(
                left: numbers[6], top: numbers[7], width: numbers[8], height: numbers[9])
            confidence = numbers[10]
            text = TextDecoding.cleaned(String(decoding: cells[11], as: UTF8.self))
        }

        var isWord: Bool {
            level == 5 && confidence >= confidenceMin && text.contains { $0 != " " }
        }
    }
}

extension PageLayout {
    fileprivate mutating func take(_ row: LayoutTable.Row) {
        switch row.level {
        case 3: blocks.append(Block(lines: []))
        case 4 where !blocks.isEmpty:
            blocks[blocks.count - 1].lines.append(Line(text: "", box: row.box))
        case 5 where row.isWord:
            guard let block = blocks.indices.last, let line = blocks[block].lines.indices.last
            else { return }
            if !blocks[block].lines[line].text.isEmpty { blocks[block].lines[line].text += " " }
            blocks[block].lines[line].text += row.text
        default: break
        }
    }

    fileprivate var withoutEmptyLines: PageLayout {
        var page = self
        for block in page.blocks.indices {
            page.blocks[block].lines.removeAll { $0.text.isEmpty }
        }
        page.blocks.removeAll { $0.lines.isEmpty }
        return page
    }
}

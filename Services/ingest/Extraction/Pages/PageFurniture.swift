import Domain

/// What stands at the edge of most pages alike: headers, footers, page numbers.
struct PageFurniture {
    /// Parts of a page's height that count as its edge.
    private static let edge = 0.12
    /// Fewer pages have nothing that most of them could have.
    private static let pageCountMin = 3

    private let repeated: Set<String>

    init(_ pages: [PageLayout]) {
        guard pages.count >= Self.pageCountMin else {
            repeated = []
            return
        }
        var counts: [String: Int] = [:]
        for page in pages {
            let keys = page.blocks.flatMap(\.lines).filter { Self.isAtEdge($0, of: page) }
                .map { Self.key($0.text) }
            for key in Set(keys) { counts[key, default: 0] += 1 }
        }
        // More than half of the pages: left and right ones may differ in half of theirs.
        repeated = Set(counts.filter { $0.value * 2 > pages.count }.keys)
    }

    func removed(from pages: [PageLayout]) -> [PageLayout] {
        guard !repeated.isEmpty else { return pages }
        return pages.map { page in
            var page = page
            let whole = page
            for block in page.blocks.indices {
                page.blocks[block].lines.removeAll {
                    Self.isAtEdge($0, of: whole) && repeated.contains(Self.key($0.text))
                }
            }
            page.blocks.removeAll { $0.lines.isEmpty }
            return page
        }
    }

    private static func isAtEdge(_ line: PageLayout.Line, of page: PageLayout) -> Bool {
        line.box.top + line.box.height < page.height * edge
            || line.box.top > page.height * (1 - edge)
    }

    /// Page numbers apart.
    private static func key(_ text: String) -> String {
        String(text.lowercased().map { $0.isNumber ? "#" : $0 })
            .split(separator: "#").joined(separator: "#")
    }
}

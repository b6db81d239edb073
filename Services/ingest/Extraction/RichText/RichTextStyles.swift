/// The styles of a rich text, as far as they tell what a paragraph is.
struct RichTextStyles {
    private struct Style {
        var name = ""
        /// 0-based, as the format counts; 9 is body text.
        var outlineLevel: Int?
        var basis: Int?
    }

    private var styles: [Int: Style] = [:]
    private var current = 0

    /// A style that is based on itself, over others perhaps, ends somewhere.
    private static let basisCountMax = 10

    /// What the style sheet says, in the order of the file.
    mutating func take(_ word: String, _ number: Int?) {
        switch word {
        case "s": current = number ?? 0
        case "outlinelevel": styles[current, default: Style()].outlineLevel = number
        case "sbasedon": styles[current, default: Style()].basis = number
        default: break
        }
    }

    mutating func takeName(_ piece: String) { styles[current, default: Style()].name += piece }

    /// The style's own, or that of the one it is based on. 1-based; nil for body text.
    func headingLevel(of number: Int) -> Int? {
        var style = styles[number]
        for _ in 0..<Self.basisCountMax {
            guard let found = style else { return nil }
            if let level = found.outlineLevel { return RichTextBlocks.headingLevel(level) }
            // It is no part of the outline, and yet what a document is called.
            if found.name.hasPrefix("Title") { return 1 }
            style = found.basis.flatMap { styles[$0] }
        }
        return nil
    }
}

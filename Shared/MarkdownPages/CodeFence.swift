/// Follows the fences of a Markdown file: what stands between two of them is no Markdown.
struct CodeFence {
    private var mark: (character: Character, count: Int)?

    /// Whether the line is a fence or within one. Give it every line, in order.
    mutating func takes(_ line: Substring) -> Bool {
        let text = line.trimmed
        guard let first = text.first, first == "`" || first == "~" else { return mark != nil }
        let count = text.prefix { $0 == first }.count
        if let open = mark {
            let closes = first == open.character && count >= open.count && count == text.count
            if closes { mark = nil }
            return true
        }
        // After backticks a further one means a span of code, not a fence.
        guard count >= 3, first == "~" || !text.dropFirst(count).contains("`") else { return false }
        mark = (first, count)
        return true
    }
}

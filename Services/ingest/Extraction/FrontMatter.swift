/// The YAML between two lines `---` at a Markdown file's start: for other programs, no text of ours.
struct FrontMatter {
    let title: String?
    /// The lines after it.
    let body: ArraySlice<Substring>

    private static let lineCountMax = 200

    /// Without front matter, everything is body.
    init(_ lines: [Substring]) {
        guard lines.first?.withoutTrailingSpace == "---",
            let end = lines.prefix(Self.lineCountMax).dropFirst().firstIndex(where: Self.isEnd),
            lines[1..<end].allSatisfy(Self.mayBeYAML)
        else {
            title = nil
            body = lines[...]
            return
        }
        title = lines[1..<end].lazy.compactMap(Self.title).first
        body = lines[(end + 1)...]
    }

    private static func isEnd(_ line: Substring) -> Bool {
        let line = line.withoutTrailingSpace
        return line == "---" || line == "..."
    }

    /// A key, a comment, an item or something indented: prose between two rules is none of these.
    private static func mayBeYAML(_ line: Substring) -> Bool {
        line.isBlank || line.contains(":") || line.indentation > 0
            || line.hasPrefix("#") || line.hasPrefix("-")
    }

    private static func title(_ line: Substring) -> String? {
        guard line.lowercased().hasPrefix("title:") else { return nil }
        let value = String(line.dropFirst("title:".count)).withoutLeadingSpace[...]
            .withoutTrailingSpace
        var text = value
        for quote in ["\"", "'"]
        where text.count > 1 && text.hasPrefix(quote) && text.hasSuffix(quote) {
            text = text.dropFirst().dropLast()
            break
        }
        return text.isBlank ? nil : String(text)
    }
}

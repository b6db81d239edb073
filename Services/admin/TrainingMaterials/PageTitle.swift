/// What a page of Markdown is called.
enum PageTitle {
    private static let countMax = 200

    /// The front matter's `title`, else the first heading, else the file's name.
    static func of(_ markdown: String, path: String) -> String {
        var lines = markdown.split(
            maxSplits: 400, omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...]
        let title = frontMatterTitle(&lines) ?? firstHeading(lines) ?? fileName(path)
        return String(title.prefix(countMax))
    }

    /// Takes the front matter away, so that its comments are no headings.
    private static func frontMatterTitle(_ lines: inout ArraySlice<Substring>) -> String? {
        guard lines.first.map({ trimmed($0) }) == "---",
            let end = lines.dropFirst().firstIndex(where: { ["---", "..."].contains(trimmed($0)) })
        else { return nil }
        let matter = lines[..<end].dropFirst()
        lines = lines[(end + 1)...]
        guard let line = matter.first(where: { $0.hasPrefix("title:") }) else { return nil }
        var title = trimmed(line.dropFirst("title:".count))
        for quote in ["\"", "'"]
        where title.count >= 2 && title.hasPrefix(quote) && title.hasSuffix(quote) {
            title = title.dropFirst().dropLast()
        }
        return title.isEmpty ? nil : String(title)
    }

    private static func firstHeading(_ lines: ArraySlice<Substring>) -> String? {
        var isCode = false
        var previous: Substring = ""
        for line in lines {
            let text = trimmed(line)
            if text.hasPrefix("```") || text.hasPrefix("~~~") { isCode.toggle() }
            if isCode { continue }
            let hashes = text.prefix { $0 == "#" }.count
            if (1...6).contains(hashes), text.dropFirst(hashes).first?.isWhitespace == true {
                var heading = trimmed(text.dropFirst(hashes))
                // Closing hashes are decoration.
                while heading.hasSuffix("#") { heading = heading.dropLast() }
                heading = trimmed(heading)
                if !heading.isEmpty { return String(heading) }
            }
            let isUnderline = text.count >= 2 && (text.allSatisfy { $0 == "=" })
            if isUnderline, !previous.isEmpty { return String(previous) }
            previous = text
        }
        return nil
    }

    private static func fileName(_ path: String) -> String {
        let name = path.split(separator: "/").last ?? Substring(path)
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return String(name) }
        return String(name[..<dot])
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return start[...last]
    }
}

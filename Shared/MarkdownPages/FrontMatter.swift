internal import Yams

/// The YAML between two lines `---` at a Markdown file's start: for programs, no text for readers.
package struct FrontMatter: Sendable, Hashable {
    package private(set) var title: String?
    /// ISO 639-1, in lower case: the first part of `it-IT`.
    package private(set) var language: String?
    /// As it is written.
    package private(set) var url: String?
    package private(set) var tags: [String] = []
    /// The lines after it.
    package let body: ArraySlice<Substring>

    private static let lineCountMax = 200
    private static let valueScalarCountMax = 500
    private static let tagCountMax = 20

    /// Without front matter, everything is body.
    package init(_ lines: [Substring]) {
        guard lines.first.map(Self.trimmed) == "---",
            let end = lines.prefix(Self.lineCountMax).dropFirst().firstIndex(where: Self.isEnd),
            lines[1..<end].allSatisfy(Self.mayBeYAML)
        else {
            body = lines[...]
            return
        }
        body = lines[(end + 1)...]
        read(lines[1..<end])
    }

    /// Of a whole file, with any line ends.
    package init(of markdown: String) {
        self.init(
            markdown.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline))
    }

    private mutating func read(_ lines: ArraySlice<Substring>) {
        let values = Self.values(lines)
        title = values["title"]?.first
        language = (values["language"] ?? values["lang"])?.first.flatMap(Self.language)
        url = values["url"]?.first
        tags = Array((values["tags"] ?? []).prefix(Self.tagCountMax))
    }

    /// The keys at the top, each with its text or texts. What is nested deeper is nothing of ours.
    private static func values(_ lines: ArraySlice<Substring>) -> [String: [String]] {
        var values: [String: [String]] = [:]
        // What is no YAML after all (`title: one: two`) is read line by line.
        guard YAMLBounds.allow(lines),
            let node = try? Yams.compose(yaml: lines.joined(separator: "\n")),
            let mapping = node.mapping
        else { return loose(lines) }
        for (key, value) in mapping {
            guard let key = key.scalar?.string.lowercased() else { continue }
            let scalars = value.sequence?.compactMap { $0.scalar?.string }
            let texts = scalars ?? (value.scalar?.string).map { parts($0, of: key) } ?? []
            values[key] = texts.map(clean).filter { !$0.isEmpty }
        }
        return values
    }

    private static func loose(_ lines: ArraySlice<Substring>) -> [String: [String]] {
        var values: [String: [String]] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), line.first?.isWhitespace == false else {
                continue
            }
            let key = line[..<colon].lowercased()
            let texts = parts(String(trimmed(line[line.index(after: colon)...])), of: key)
            if values[key] == nil { values[key] = texts.map(clean).filter { !$0.isEmpty } }
        }
        return values
    }

    /// Tags are also written in one line, with commas.
    private static func parts(_ text: String, of key: String) -> [String] {
        key == "tags" ? text.split(separator: ",").map(String.init) : [text]
    }

    private static func clean(_ text: String) -> String {
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return words.replacing("\0", with: "").shortened(toScalarCount: valueScalarCountMax)
    }

    private static func language(_ text: String) -> String? {
        let code = text.prefix { $0 != "-" && $0 != "_" }.lowercased()
        return code.utf8.count == 2 && code.allSatisfy({ ("a"..."z").contains($0) }) ? code : nil
    }

    private static func isEnd(_ line: Substring) -> Bool { ["---", "..."].contains(trimmed(line)) }

    /// A key, a comment, an item or something indented: prose between two rules is none of these.
    private static func mayBeYAML(_ line: Substring) -> Bool {
        guard let first = line.first else { return true }
        return line.contains(":") || first.isWhitespace || first == "#" || first == "-"
    }

    private static func trimmed(_ text: Substring) -> Substring { text.trimmed }
}

extension Substring {
    /// Without white space at either end.
    var trimmed: Substring {
        let start = drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return start[...last]
    }
}

/// Makes the relative links of a page whole, so that they lead somewhere wherever its text is read.
package struct PageLinks: Sendable {
    /// The address of a file of the repository, by its path; nil leaves a link as it is.
    private let address: @Sendable (String) -> String?

    package init(address: @escaping @Sendable (String) -> String?) { self.address = address }

    /// The page with its links replaced. Code is left alone, and so are anchors within the page.
    ///
    /// It is at most 256 KiB longer than before: what does not fit stays as it is.
    package func resolved(_ markdown: String, path: String) -> String {
        var code = CodeFence()
        var targets = LinkTargets(of: path, address: address)
        var lines = markdown.replacing("\r\n", with: "\n")
            .split(separator: "\n", omittingEmptySubsequences: false)
        for index in lines.indices {
            let line = lines[index]
            guard !code.takes(line), line.contains("]") else { continue }
            lines[index] = Substring(Self.resolved(line, &targets))
        }
        return lines.joined(separator: "\n")
    }

    private static func resolved(_ line: Substring, _ targets: inout LinkTargets) -> String {
        if let definition = Self.definition(line) {
            return replace(definition, in: line, &targets)
        }
        var result = ""
        var rest = line
        while let next = rest.firstIndex(where: { $0 == "`" || $0 == "]" }) {
            if rest[next] == "`" {
                let run = rest[next...].prefix { $0 == "`" }
                let after = rest[run.endIndex...]
                let isSpan = run.count <= backtickCountMax
                let end = isSpan ? after.firstRange(of: run)?.upperBound : nil
                result += rest[..<(end ?? run.endIndex)]
                rest = rest[(end ?? run.endIndex)...]
            } else if let target = Self.target(after: next, in: rest) {
                result += rest[..<target.startIndex]
                result += targets.whole(target) ?? String(target)
                rest = rest[target.endIndex...]
            } else {
                result += rest[...next]
                rest = rest[rest.index(after: next)...]
            }
        }
        return result + rest
    }

    // A page may be one line of a megabyte, made to be slow. No part of it is looked at again and
    // again: a target ends where another link could begin, and of each length of backticks at most
    // one run looks for its end in vain.
    private static let backtickCountMax = 16
    private static let nestingMax = 32

    /// Where `](` leads: up to white space or the bracket that closes it.
    private static func target(after bracket: Substring.Index, in text: Substring) -> Substring? {
        var rest = text[text.index(after: bracket)...]
        guard rest.first == "(" else { return nil }
        rest = rest.dropFirst().drop { $0 == " " }
        if rest.first == "<" {
            let inner = rest.dropFirst().prefix { !"<>]".contains($0) }
            return rest[inner.endIndex...].first == ">" ? inner : nil
        }
        var depth = 0
        let target = rest.prefix { character in
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            return (0...nestingMax).contains(depth) && character != "]" && !character.isWhitespace
        }
        let end = rest[target.endIndex...].first
        return target.isEmpty || end != ")" && end?.isWhitespace != true ? nil : target
    }

    /// The target of a line `[name]: target`, with a title or nothing after it (CommonMark, 4.7): a
    /// footnote, or a sentence that begins with a word in brackets, leads nowhere.
    private static func definition(_ line: Substring) -> Substring? {
        let text = line.drop { $0 == " " }
        guard text.first == "[", !text.hasPrefix("[^"), let end = text.firstRange(of: "]:"),
            !text[..<end.lowerBound].contains("](")
        else { return nil }
        let target = text[end.upperBound...].drop { $0 == " " }.prefix { !$0.isWhitespace }
        let title = text[target.endIndex...].drop { $0.isWhitespace }
        guard !target.isEmpty, title.first.map({ "\"'(".contains($0) }) ?? true else {
            return nil
        }
        return target
    }

    private static func replace(
        _ target: Substring, in line: Substring, _ targets: inout LinkTargets
    ) -> String {
        let bare = target.hasPrefix("<") && target.hasSuffix(">")
        let text = bare ? target.dropFirst().dropLast() : target
        guard let whole = targets.whole(text) else { return String(line) }
        return line[..<target.startIndex] + whole + line[target.endIndex...]
    }
}

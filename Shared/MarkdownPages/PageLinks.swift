/// Makes the relative links of a page whole, so that they lead somewhere wherever its text is read.
package struct PageLinks: Sendable {
    /// The address of a file of the repository, by its path; nil leaves a link as it is.
    private let address: @Sendable (String) -> String?

    package init(address: @escaping @Sendable (String) -> String?) { self.address = address }

    /// The page with its links replaced. Code is left alone, and so are anchors within the page.
    package func resolved(_ markdown: String, path: String) -> String {
        var code = CodeFence()
        var lines = markdown.replacing("\r\n", with: "\n")
            .split(separator: "\n", omittingEmptySubsequences: false)
        for index in lines.indices {
            let line = lines[index]
            guard !code.takes(line), line.contains("]") else { continue }
            lines[index] = Substring(resolved(line, path: path))
        }
        return lines.joined(separator: "\n")
    }

    private func resolved(_ line: Substring, path: String) -> String {
        if let definition = Self.definition(line) {
            return replace(definition, in: line, path: path)
        }
        var result = ""
        var rest = line
        while let next = rest.firstIndex(where: { $0 == "`" || $0 == "]" }) {
            if rest[next] == "`" {
                let run = rest[next...].prefix { $0 == "`" }
                let after = rest[run.endIndex...]
                let isSpan = run.count <= Self.backtickCountMax
                let end = isSpan ? after.firstRange(of: run)?.upperBound : nil
                result += rest[..<(end ?? run.endIndex)]
                rest = rest[(end ?? run.endIndex)...]
            } else if let target = Self.target(after: next, in: rest) {
                result += rest[..<target.startIndex]
                result += whole(target, path: path) ?? String(target)
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

    /// The target of a line `[name]: target`.
    private static func definition(_ line: Substring) -> Substring? {
        let text = line.drop { $0 == " " }
        guard text.first == "[", let end = text.firstRange(of: "]:"),
            !text[..<end.lowerBound].contains("](")
        else { return nil }
        let target = text[end.upperBound...].drop { $0 == " " }.prefix { !$0.isWhitespace }
        return target.isEmpty ? nil : target
    }

    private func replace(_ target: Substring, in line: Substring, path: String) -> String {
        let bare = target.hasPrefix("<") && target.hasSuffix(">")
        let text = bare ? target.dropFirst().dropLast() : target
        guard let whole = whole(text, path: path) else { return String(line) }
        return line[..<target.startIndex] + whole + line[target.endIndex...]
    }

    /// The whole address of a relative target; nil for one that is whole, or leads nowhere.
    private func whole(_ target: Substring, path: String) -> String? {
        let file = target.prefix { $0 != "#" && $0 != "?" }
        // With a scheme, with a host, or an anchor.
        let scheme = file.prefix { $0 != "/" }
        guard !file.isEmpty, !file.hasPrefix("//"), !scheme.contains(":"),
            let resolved = Self.resolve(file, from: path),
            let address = address(resolved)
        else { return nil }
        return address + target[file.endIndex...]
    }

    /// Nil when it leads out of the repository.
    private static func resolve(_ target: Substring, from path: String) -> String? {
        var parts = target.hasPrefix("/") ? [] : path.split(separator: "/").dropLast()[...]
        for part in target.split(separator: "/") {
            switch part {
            case ".": continue
            case "..":
                if parts.popLast() == nil { return nil }
            default: parts.append(part)
            }
        }
        let folder = target.hasSuffix("/") ? "/" : ""
        return percentDecoded(parts.joined(separator: "/")) + folder
    }

    private static func percentDecoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let first = rest.popFirst() {
            if first == UInt8(ascii: "%"), rest.count >= 2,
                let byte = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(first)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

internal import FoundationEssentials

/// Where people read a page: what the page itself says, else where the site of the materials has it.
package struct PageAddress: Sendable {
    /// The address that a site is served at, if there is one: `https://docs.example.org/guide/`.
    private let site: String?

    private static let lengthMax = 2_000

    /// - Parameter site: http or https.
    package init(site: String?) {
        self.site = site.map { $0.hasSuffix("/") ? $0 : $0 + "/" }
    }

    /// Nil when neither the page nor a site says it.
    ///
    /// - Parameter path: in the repository.
    package func find(_ matter: FrontMatter, path: String) -> String? {
        if let url = matter.url {
            if let whole = Self.webAddress(url) { return whole }
            // Of a page on the site.
            if let site, url.hasPrefix("/") { return Self.webAddress(site + url.dropFirst()) }
        }
        return Self.source(in: matter.body) ?? site.map { $0 + Self.sitePath(path) }
    }

    /// MkDocs' rules, which most generators share: `docs/` is the root, a page is a folder, and
    /// `index` or `README` is the folder it is in.
    static func sitePath(_ path: String) -> String {
        var parts = path.split(separator: "/")
        if parts.count > 1, parts.first == "docs" { parts.removeFirst() }
        guard let file = parts.popLast() else { return "" }
        let name = file.lastIndex(of: ".").map { file[..<$0] } ?? file
        if !["index", "readme"].contains(name.lowercased()) { parts.append(name) }
        return parts.map { percentEncoded(String($0)) + "/" }.joined()
    }

    /// The address in the first line that says `Fonte:` or `Source:`.
    private static func source(in lines: ArraySlice<Substring>) -> String? {
        var code = CodeFence()
        for line in lines where !code.takes(line) {
            let text = line.drop { $0.isWhitespace || ">*_-".contains($0) }
            let word = text.prefix(while: \.isLetter)
            guard ["fonte", "source"].contains(word.lowercased()) else { continue }
            let rest = text[word.endIndex...].drop { "*_ ".contains($0) }
            guard rest.first == ":", let url = firstAddress(in: rest) else { continue }
            return url
        }
        return nil
    }

    /// Bare, in angle brackets, or a link's.
    private static func firstAddress(in text: Substring) -> String? {
        guard
            let start = ["https://", "http://"].compactMap({ text.firstRange(of: $0)?.lowerBound })
                .min()
        else { return nil }
        var url = text[start...].prefix { !$0.isWhitespace && !"<>\"".contains($0) }
        let isLink = start > text.startIndex && text[text.index(before: start)] == "("
        if isLink { url = url.prefix { $0 != ")" } }
        while let last = url.last, ".,;:*_".contains(last) { url.removeLast() }
        return webAddress(String(url))
    }

    /// Only what a browser opens by itself, and no one's password.
    package static func webAddress(_ text: String) -> String? {
        guard text.utf8.count <= lengthMax, let url = URL(string: text), url.user == nil,
            url.scheme?.lowercased() == "https" || url.scheme?.lowercased() == "http",
            url.host?.isEmpty == false
        else { return nil }
        return text
    }

    /// Of one part of a path (RFC 3986: all but the unreserved characters).
    static func percentEncoded(_ text: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        var encoded = ""
        for byte in text.utf8 {
            if plain.contains(byte) {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return encoded
    }
}

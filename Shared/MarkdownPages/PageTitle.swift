/// What a page of Markdown is called.
package enum PageTitle {
    private static let scalarCountMax = 200

    /// The front matter's `title`, else the first heading, else the file's name.
    package static func of(_ matter: FrontMatter, path: String) -> String {
        let title = matter.title ?? firstHeading(matter.body) ?? fileName(path)
        return title.shortened(toScalarCount: scalarCountMax)
    }

    private static func firstHeading(_ lines: ArraySlice<Substring>) -> String? {
        var code = CodeFence()
        var previous: Substring = ""
        for line in lines {
            let text = line.trimmed
            if code.takes(line) { continue }
            let hashes = text.prefix { $0 == "#" }.count
            if (1...6).contains(hashes), text.dropFirst(hashes).first?.isWhitespace == true {
                var heading = text.dropFirst(hashes).trimmed
                // Closing hashes are decoration.
                while heading.hasSuffix("#") { heading = heading.dropLast() }
                heading = heading.trimmed
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
}

extension String {
    /// Its beginning, of whole characters. Only a first one that is too long by itself is cut: a
    /// letter may carry half a million accents.
    func shortened(toScalarCount countMax: Int) -> String {
        guard
            let limit = unicodeScalars.index(
                startIndex, offsetBy: countMax, limitedBy: endIndex)
        else { return self }
        var end = startIndex
        while end < limit {
            let next = index(after: end)
            guard next <= limit else { break }
            end = next
        }
        return end > startIndex ? String(self[..<end]) : String(unicodeScalars[..<limit])
    }
}

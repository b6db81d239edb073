/// The headings above a place in a text, from the outermost to the nearest.
struct HeadingPath {
    private let title: String?
    /// Headings are a help to the text, not the text: beyond this the outer ones are left out.
    private let tokenCountMax: Int
    private var headings: [(level: Int, text: String)] = []

    /// Of one heading, in characters.
    private static let lengthMax = 160

    init(title: String?, tokenCountMax: Int) {
        self.title = title.map(Self.shortened)
        self.tokenCountMax = tokenCountMax
    }

    /// Whether a heading of this level would stand under the nearest one.
    func isAbove(_ level: Int) -> Bool {
        headings.last.map { $0.level < level } ?? true
    }

    mutating func enter(_ text: String, level: Int) {
        headings.removeAll { $0.level >= level }
        headings.append((level, Self.shortened(text)))
    }

    var path: [String] {
        var path = headings.map(\.text)
        if let title, path.first != title { path.insert(title, at: 0) }
        var tokenCount = path.reduce(0) { $0 + TokenEstimate.of($1) + 1 }
        while tokenCount > tokenCountMax, !path.isEmpty {
            tokenCount -= TokenEstimate.of(path.removeFirst()) + 1
        }
        return path
    }

    static func shortened(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count > lengthMax ? line.prefix(lengthMax - 1) + "…" : line
    }
}

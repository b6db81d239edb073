/// Hands out a commit's Markdown files, within limits.
struct GitPages {
    let limits: GitLimits
    let ignored: GitIgnoreRules?
    private var pageCount = 0
    private var byteCount = 0
    /// Of the files taken and the oversized: equal are also those that only read the same.
    private var paths: Set<String> = []

    init(limits: GitLimits, ignored: GitIgnoreRules?) {
        self.limits = limits
        self.ignored = ignored
    }

    /// Whether pages of the folder may be shown. Its path ends with a slash.
    func enters(_ folder: String) throws -> Bool {
        try !Self.isHidden(folder) && ignored?.name(folder) != true
    }

    mutating func read(
        _ file: GitTree.File, of tree: GitTree, _ body: (GitSnapshotLine) throws -> Void
    ) throws {
        guard !file.isLink, Self.isMarkdown(file.name), !Self.isHidden(file.path),
            !Self.isReadme(file.path), try ignored?.name(file.path) != true
        else { return }
        guard !paths.contains(file.path) else {
            return try body(.ambiguous(path: file.path))
        }
        guard file.byteCount <= limits.pageByteCountMax else {
            paths.insert(file.path)
            return try body(.oversized(path: file.path))
        }
        let content = try tree.text(of: file)
        guard content.contains(where: { !$0.isWhitespace }) else { return }
        paths.insert(file.path)
        pageCount += 1
        byteCount += file.byteCount
        guard pageCount <= limits.pageCountMax else { throw GitFailure.tooLarge("pages") }
        guard byteCount <= limits.contentByteCountMax else { throw GitFailure.tooLarge("content") }
        try body(.page(GitSnapshot.Page(path: file.path, content: content)))
    }

    private static func isMarkdown(_ name: Substring) -> Bool {
        let name = name.lowercased()
        return name.hasSuffix(".md") || name.hasSuffix(".markdown")
    }

    /// A folder above was asked before.
    private static func isHidden(_ path: String) -> Bool {
        path.split(separator: "/").last?.hasPrefix(".") == true
    }

    /// At the root it speaks to those who work on the repository.
    private static func isReadme(_ path: String) -> Bool {
        ["readme.md", "readme.markdown"].contains(path.lowercased())
    }
}

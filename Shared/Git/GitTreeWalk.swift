import CLibGit2

/// Goes through a commit's folders and hands out its Markdown files, within limits.
struct GitTreeWalk {
    let repository: OpaquePointer
    let limits: GitLimits
    private var pageCount = 0
    private var byteCount = 0
    private var entryCount = 0

    /// Deeper folders are an error: no repository of pages has them.
    private static let depthMax = 64
    /// All entries looked at, Markdown or not.
    private static let entryCountMax = 200_000

    init(repository: OpaquePointer, limits: GitLimits) {
        self.repository = repository
        self.limits = limits
    }

    mutating func visit(
        _ tree: OpaquePointer, below folder: String, depth: Int,
        _ body: (GitSnapshotLine) throws -> Void
    ) throws {
        guard depth < Self.depthMax else { throw GitFailure.tooLarge("folder_depth") }
        for index in 0..<git_tree_entrycount(tree) {
            entryCount += 1
            guard entryCount <= Self.entryCountMax else { throw GitFailure.tooLarge("entries") }
            // A name that is not UTF-8 cannot be said in JSON: such a file is passed over.
            guard let entry = git_tree_entry_byindex(tree, index),
                let name = git_tree_entry_name(entry).flatMap({ String(validatingCString: $0) })
            else { continue }
            let path = folder + name
            switch git_tree_entry_filemode(entry) {
            case GIT_FILEMODE_TREE:
                let repository = repository
                let inner = try Handle(git_tree_free) {
                    git_tree_lookup(&$0, repository, git_tree_entry_id(entry))
                }
                try visit(inner.pointer, below: path + "/", depth: depth + 1, body)
            case GIT_FILEMODE_BLOB, GIT_FILEMODE_BLOB_EXECUTABLE:
                guard Self.isMarkdown(name) else { continue }
                try read(git_tree_entry_id(entry), path: path, body)
            default:
                // Symbolic links and submodules.
                continue
            }
        }
    }

    private mutating func read(
        _ id: UnsafePointer<git_oid>?, path: String, _ body: (GitSnapshotLine) throws -> Void
    ) throws {
        let repository = repository
        let blob = try Handle(git_blob_free) { git_blob_lookup(&$0, repository, id) }
        let size = Int(git_blob_rawsize(blob.pointer))
        guard size <= limits.pageByteCountMax else { return try body(.oversized(path: path)) }
        let bytes = UnsafeRawBufferPointer(start: git_blob_rawcontent(blob.pointer), count: size)
        // Postgres keeps no NUL in a text.
        let content = String(decoding: bytes, as: UTF8.self).replacing("\0", with: "\u{FFFD}")
        guard content.contains(where: { !$0.isWhitespace }) else { return }
        pageCount += 1
        byteCount += size
        guard pageCount <= limits.pageCountMax else { throw GitFailure.tooLarge("pages") }
        guard byteCount <= limits.contentByteCountMax else { throw GitFailure.tooLarge("content") }
        try body(.page(GitSnapshot.Page(path: path, content: content)))
    }

    private static func isMarkdown(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasSuffix(".md") || name.hasSuffix(".markdown")
    }
}

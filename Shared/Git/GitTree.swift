import CLibGit2

/// The folders of a commit, read from the repository's objects: no link is followed, no module
/// entered.
struct GitTree {
    /// Something in a folder that has a content of its own.
    struct File {
        /// From the root, with `/`.
        let path: String
        let id: git_oid
        let byteCount: Int
        /// A symbolic link's content is where it leads.
        let isLink: Bool

        var name: Substring { path.split(separator: "/").last ?? "" }
    }

    let repository: OpaquePointer
    private let objects: OpaquePointer
    private var entryCount = 0

    /// Deeper folders are an error: no repository of pages has them.
    private static let depthMax = 64
    private static let entryCountMax = 200_000

    /// - Parameter objects: the repository's object database.
    init(repository: OpaquePointer, objects: OpaquePointer) {
        self.repository = repository
        self.objects = objects
    }

    /// Every file, folder by folder, but those in folders that `enters` says no to.
    mutating func forEachFile(
        of tree: OpaquePointer, enters: (String) throws -> Bool = { _ in true },
        _ body: (File) throws -> Void
    ) throws {
        try visit(tree, below: "", depth: 0, enters: enters, body)
    }

    private mutating func visit(
        _ tree: OpaquePointer, below folder: String, depth: Int,
        enters: (String) throws -> Bool, _ body: (File) throws -> Void
    ) throws {
        guard depth < Self.depthMax else { throw GitFailure.tooLarge("folder_depth") }
        for index in 0..<git_tree_entrycount(tree) {
            entryCount += 1
            guard entryCount <= Self.entryCountMax else { throw GitFailure.tooLarge("entries") }
            // A name that is not UTF-8 cannot be said in JSON: such a file is passed over.
            guard let entry = git_tree_entry_byindex(tree, index),
                let name = git_tree_entry_name(entry).flatMap({ String(validatingCString: $0) }),
                let id = git_tree_entry_id(entry)?.pointee
            else { continue }
            let path = folder + name
            let mode = git_tree_entry_filemode(entry)
            switch mode {
            case GIT_FILEMODE_TREE:
                guard try enters(path + "/") else { continue }
                let repository = repository
                let inner = try Handle(git_tree_free) {
                    git_tree_lookup(&$0, repository, git_tree_entry_id(entry))
                }
                try visit(
                    inner.pointer, below: path + "/", depth: depth + 1, enters: enters, body)
            case GIT_FILEMODE_BLOB, GIT_FILEMODE_BLOB_EXECUTABLE, GIT_FILEMODE_LINK:
                try body(
                    File(
                        path: path, id: id, byteCount: try byteCount(of: id),
                        isLink: mode == GIT_FILEMODE_LINK))
            default:
                // Submodules.
                continue
            }
        }
    }

    /// From the object's header: a few bytes in a pack may become gigabytes.
    private func byteCount(of id: git_oid) throws(LibGit2Error) -> Int {
        var id = id
        var byteCount = 0
        var type = GIT_OBJECT_INVALID
        try LibGit2Error.check(git_odb_read_header(&byteCount, &type, objects, &id))
        return byteCount
    }

    /// What a file says.
    func text(of file: File) throws -> String {
        let repository = repository
        var id = file.id
        let blob = try Handle(git_blob_free) { git_blob_lookup(&$0, repository, &id) }
        let bytes = UnsafeRawBufferPointer(
            start: git_blob_rawcontent(blob.pointer), count: Int(git_blob_rawsize(blob.pointer)))
        // Postgres keeps no NUL in a text.
        return String(decoding: bytes, as: UTF8.self).replacing("\0", with: "\u{FFFD}")
    }
}

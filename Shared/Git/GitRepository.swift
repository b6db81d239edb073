import CLibGit2
import FoundationEssentials

/// A clone on disk. Used in the child process alone: every call may block, and crash.
struct GitRepository: ~Copyable {
    private let handle: Handle

    private init(handle: consuming Handle) { self.handle = handle }

    /// Opens the repository at exactly this path.
    init(opening path: String) throws(LibGit2Error) {
        self.init(
            handle: try Handle(git_repository_free) {
                git_repository_open_ext(&$0, path, GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue, nil)
            })
    }

    /// Makes an empty one. Without a template: no hooks come in.
    init(making path: String) throws(LibGit2Error) {
        var options = git_repository_init_options()
        try LibGit2Error.check(
            git_repository_init_options_init(
                &options, UInt32(GIT_REPOSITORY_INIT_OPTIONS_VERSION)))
        options.flags = GIT_REPOSITORY_INIT_MKPATH.rawValue
        self.init(
            handle: try Handle(git_repository_free) {
                git_repository_init_ext(&$0, path, &options)
            })
    }

    func setOrigin(_ address: String) throws(LibGit2Error) {
        let repository = handle.pointer
        _ = try Handle(git_remote_free) {
            git_remote_create(&$0, repository, "origin", address)
        }
    }

    /// Without files of its own.
    var isBare: Bool { git_repository_is_bare(handle.pointer) != 0 }

    /// The address of `origin`, if there is one.
    func findOrigin() -> String? {
        var remote: OpaquePointer?
        guard git_remote_lookup(&remote, handle.pointer, "origin") == 0 else { return nil }
        defer { git_remote_free(remote) }
        return git_remote_url(remote).map { String(cString: $0) }
    }

    /// Whether a tracked file was changed or an untracked one is there.
    func hasLocalChanges() throws(LibGit2Error) -> Bool {
        var options = git_status_options()
        try LibGit2Error.check(
            git_status_options_init(&options, UInt32(GIT_STATUS_OPTIONS_VERSION)))
        options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR
        options.flags =
            GIT_STATUS_OPT_INCLUDE_UNTRACKED.rawValue | GIT_STATUS_OPT_EXCLUDE_SUBMODULES.rawValue
        let repository = handle.pointer
        let list = try Handle(git_status_list_free) {
            git_status_list_new(&$0, repository, &options)
        }
        return git_status_list_entrycount(list.pointer) > 0
    }

    /// Receives what is new; changes no ref yet. Returns the remote, to take its refs over.
    func download(_ transfer: GitTransfer) throws(LibGit2Error) -> GitRemote {
        let remote = try GitRemote(of: handle.pointer)
        try remote.download(transfer)
        return remote
    }

    /// The commit that a target means.
    func commit(_ target: GitTarget) throws(LibGit2Error) -> String {
        for reference in target.references {
            do {
                return try commit(spelt: reference)
            } catch let error where error.isNotFound || error.code == GIT_EINVALIDSPEC.rawValue {
                continue
            }
        }
        guard target.isHash else {
            throw LibGit2Error(code: GIT_ENOTFOUND.rawValue, message: "no such ref")
        }
        return try commit(spelt: target.name)
    }

    private func commit(spelt text: String) throws(LibGit2Error) -> String {
        let repository = handle.pointer
        let object = try Handle(git_object_free) {
            git_revparse_single(&$0, repository, text)
        }
        // An annotated tag leads to its commit.
        let commit = try Handle(git_object_free) { [object = object.pointer] in
            git_object_peel(&$0, object, GIT_OBJECT_COMMIT)
        }
        return Self.text(git_object_id(commit.pointer))
    }

    /// Makes the working tree equal to the commit, with a detached HEAD.
    func checkOut(_ commit: String) throws(LibGit2Error) {
        let object = try lookUp(commit)
        var options = git_checkout_options()
        try LibGit2Error.check(
            git_checkout_options_init(&options, UInt32(GIT_CHECKOUT_OPTIONS_VERSION)))
        options.checkout_strategy =
            GIT_CHECKOUT_FORCE.rawValue | GIT_CHECKOUT_REMOVE_UNTRACKED.rawValue
        try LibGit2Error.check(git_checkout_tree(handle.pointer, object.pointer, &options))
        try LibGit2Error.check(
            git_repository_set_head_detached(handle.pointer, git_object_id(object.pointer)))
    }

    /// Every Markdown file of a commit.
    ///
    /// - Parameter rulesFolder: where rules about what is left out may be put for the while.
    func forEachPage(
        of commit: String, limits: GitLimits, rulesFolder: String,
        _ body: (GitSnapshotLine) throws -> Void
    ) throws {
        let root = try root(of: commit)
        var tree = try tree()
        let rules = try ignoreRules(in: root.pointer, at: rulesFolder)
        var pages = GitPages(limits: limits, ignored: rules)
        let folders = pages
        try tree.forEachFile(of: root.pointer, enters: folders.enters) { [tree] file in
            try pages.read(file, of: tree, body)
        }
    }

    /// Before it is checked out: its files would fill the disk.
    func requireSize(of commit: String, within limits: GitLimits) throws {
        let root = try root(of: commit)
        var tree = try tree()
        var byteCount = 0
        try tree.forEachFile(of: root.pointer) { file in
            byteCount += file.byteCount
            guard byteCount <= limits.repositoryByteCountMax else {
                throw GitFailure.tooLarge("files")
            }
        }
    }

    private func tree() throws(LibGit2Error) -> GitTree {
        let repository = handle.pointer
        // The repository keeps it for as long as it is open itself.
        let objects = try Handle(git_odb_free) { git_repository_odb(&$0, repository) }
        return GitTree(repository: repository, objects: objects.pointer)
    }

    private func ignoreRules(
        in root: OpaquePointer, at folder: String
    ) throws -> GitIgnoreRules? {
        var found: GitTree.File?
        var tree = try tree()
        func entersNone(_ folder: String) -> Bool { false }
        try tree.forEachFile(of: root, enters: entersNone) { file in
            if file.path == GitIgnoreRules.fileName, !file.isLink { found = file }
        }
        guard let found else { return nil }
        // Rather no pages than some that nobody shall see.
        guard found.byteCount <= GitIgnoreRules.byteCountMax else {
            throw GitFailure.tooLarge(GitIgnoreRules.fileName)
        }
        return try GitIgnoreRules(try tree.text(of: found), at: folder)
    }

    func ignore(_ rules: String) throws(LibGit2Error) {
        try LibGit2Error.check(git_ignore_add_rule(handle.pointer, rules))
    }

    func isIgnored(_ path: String) throws(LibGit2Error) -> Bool {
        var isIgnored: Int32 = 0
        try LibGit2Error.check(git_ignore_path_is_ignored(&isIgnored, handle.pointer, path))
        return isIgnored != 0
    }

    /// Files come as they are in the repository: no line end, no keyword is changed by what its
    /// attributes say, and a link is a file that says where it leads.
    func disableConversions() throws {
        let repository = handle.pointer
        let configuration = try Handle(git_config_free) { git_repository_config(&$0, repository) }
        for name in ["core.symlinks", "core.autocrlf", "core.filemode"] {
            try LibGit2Error.check(git_config_set_bool(configuration.pointer, name, 0))
        }
        guard let folder = git_repository_path(repository).map({ String(cString: $0) }) else {
            return
        }
        // Goes before the repository's own (gitattributes(5)).
        let attributes = "* -text -ident -filter -eol -working-tree-encoding\n"
        let files = FileManager.default
        try files.createDirectory(atPath: folder + "info", withIntermediateDirectories: true)
        try Data(attributes.utf8).write(to: URL(filePath: folder + "info/attributes"))
    }

    private func root(of commit: String) throws -> Handle {
        let object = try lookUp(commit)
        return try Handle(git_tree_free) { [object = object.pointer] in
            git_commit_tree(&$0, object)
        }
    }

    private func lookUp(_ commit: String) throws(LibGit2Error) -> Handle {
        var id = git_oid()
        try LibGit2Error.check(git_oid_fromstr(&id, commit))
        let repository = handle.pointer
        return try Handle(git_commit_free) { git_commit_lookup(&$0, repository, &id) }
    }

    private static func text(_ id: UnsafePointer<git_oid>?) -> String {
        // Forty digits and a zero.
        var digits = [CChar](repeating: 0, count: Int(GIT_OID_HEXSZ) + 1)
        git_oid_tostr(&digits, digits.count, id)
        return String(decoding: digits.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

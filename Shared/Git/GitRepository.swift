import CLibGit2

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

    /// Every Markdown file of a commit, from the objects: no link is followed, no module entered.
    func forEachPage(
        of commit: String, limits: GitLimits, _ body: (GitSnapshotLine) throws -> Void
    ) throws {
        let object = try lookUp(commit)
        let tree = try Handle(git_tree_free) { [object = object.pointer] in
            git_commit_tree(&$0, object)
        }
        var walk = GitTreeWalk(repository: handle.pointer, limits: limits)
        try walk.visit(tree.pointer, below: "", depth: 0, body)
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

import CLibGit2

/// The repository's `origin`, while it is being asked.
struct GitRemote: ~Copyable {
    private let handle: Handle

    init(of repository: OpaquePointer) throws(LibGit2Error) {
        handle = try Handle(git_remote_free) { git_remote_lookup(&$0, repository, "origin") }
    }

    func download(_ transfer: GitTransfer) throws(LibGit2Error) {
        var options = git_fetch_options()
        try LibGit2Error.check(
            git_fetch_options_init(&options, UInt32(GIT_FETCH_OPTIONS_VERSION)))
        options.follow_redirects = GIT_REMOTE_REDIRECT_NONE
        options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE
        options.callbacks.payload = Unmanaged.passUnretained(transfer).toOpaque()
        options.callbacks.transfer_progress = { progress, payload in
            guard let progress, let payload else { return -1 }
            return Unmanaged<GitTransfer>.fromOpaque(payload).takeUnretainedValue()
                .receive(progress.pointee.received_bytes)
        }
        options.callbacks.transport = transfer.usesHTTP ? HTTPSubtransport.makeTransport : nil
        options.callbacks.credentials = { result, _, _, allowed, payload in
            guard let payload else { return GIT_EAUTH.rawValue }
            return Unmanaged<GitTransfer>.fromOpaque(payload).takeUnretainedValue()
                .authenticate(result, allowed: allowed)
        }
        let code = withExtendedLifetime(transfer) {
            Self.withStrings(["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]) {
                git_remote_download(handle.pointer, $0, &options)
            }
        }
        try LibGit2Error.check(code)
    }

    /// Takes the remote's branches and tags over, and drops those it no longer has.
    func updateReferences() throws(LibGit2Error) {
        try LibGit2Error.check(
            git_remote_update_tips(
                handle.pointer, nil, 0, GIT_REMOTE_DOWNLOAD_TAGS_NONE, "refresh"))
        try LibGit2Error.check(git_remote_prune(handle.pointer, nil))
        try LibGit2Error.check(git_remote_disconnect(handle.pointer))
    }

    private static func withStrings(
        _ texts: [String], _ body: (UnsafePointer<git_strarray>) -> Int32
    ) -> Int32 {
        // One buffer holds all texts, each ended by a zero; the pointers lead into it.
        var bytes = texts.flatMap { Array($0.utf8CString) }
        return bytes.withUnsafeMutableBufferPointer { buffer in
            var pointers: [UnsafeMutablePointer<CChar>?] = []
            var start = 0
            for text in texts {
                pointers.append(buffer.baseAddress.map { $0 + start })
                start += text.utf8.count + 1
            }
            return pointers.withUnsafeMutableBufferPointer { pointers in
                var array = git_strarray(strings: pointers.baseAddress, count: pointers.count)
                return body(&array)
            }
        }
    }
}

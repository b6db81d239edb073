import CLibGit2

/// What a download may cost and with whose name it is asked: libgit2's callbacks read it.
final class GitTransfer {
    let credentials: GitCredentials?
    let byteCountMax: Int
    private(set) var isTooLarge = false
    /// A server that refuses the credentials asks for them for ever.
    private var credentialCount = 0

    init(credentials: GitCredentials?, byteCountMax: Int) {
        self.credentials = credentials
        self.byteCountMax = byteCountMax
    }

    func receive(_ byteCount: Int) -> Int32 {
        isTooLarge = byteCount > byteCountMax
        return isTooLarge ? -1 : 0
    }

    func authenticate(_ result: UnsafeMutablePointer<UnsafeMutablePointer<git_credential>?>?)
        -> Int32
    {
        credentialCount += 1
        guard let credentials, credentialCount == 1 else { return GIT_EAUTH.rawValue }
        return git_credential_userpass_plaintext_new(
            result, credentials.user, credentials.password)
    }
}

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
        options.callbacks.credentials = { result, _, _, allowed, payload in
            guard let payload, allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT.rawValue != 0 else {
                return GIT_EAUTH.rawValue
            }
            return Unmanaged<GitTransfer>.fromOpaque(payload).takeUnretainedValue()
                .authenticate(result)
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

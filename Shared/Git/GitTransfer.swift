import CLibGit2
import Glibc

/// What a download may cost, whom it may reach, and with whose name it is asked: the callbacks of the
/// libraries read it.
final class GitTransfer {
    let certificateFile: String?
    private let remote: GitRemoteURL
    private let access: GitAccess
    private let byteCountMax: Int
    private let allowsPrivate: Bool
    private(set) var isTooLarge = false
    private(set) var isPrivate = false
    /// A server that refuses what it gets asks for it for ever.
    private var credentialCount = 0

    init(_ remote: GitRemoteURL, _ request: GitSnapshotRequest) {
        self.remote = remote
        access = request.access
        byteCountMax = request.limits.repositoryByteCountMax
        allowsPrivate = request.allowsPrivate
        certificateFile = request.certificateFile
    }

    var usesHTTP: Bool { remote.scheme == .http || remote.scheme == .https }

    /// The token, if it is meant for the host that is asked.
    var basicCredentials: (user: String, token: String)? {
        guard case .token(let user, let token, let host) = access, remote.host == host else {
            return nil
        }
        return (user, token)
    }

    /// Whether a connection to this address may be made.
    func allows(_ address: UnsafeMutablePointer<sockaddr>) -> Bool {
        if allowsPrivate { return true }
        guard NetworkAddress(address)?.isPublic == true else {
            isPrivate = true
            return false
        }
        return true
    }

    /// For ssh, where libgit2 connects by itself: refuses a remote that stands where only we can
    /// reach it. The name is looked up again for the connection, so that whom it led to is looked
    /// at as well, before a key is shown or anything is taken.
    func requirePublicName() throws {
        guard !allowsPrivate, remote.scheme == .ssh, let host = remote.host else { return }
        isPrivate = try !NetworkAddress.all(of: host).allSatisfy(\.isPublic)
        if isPrivate { throw GitFailure.privateAddress }
    }

    func receive(_ byteCount: Int) -> Int32 {
        isTooLarge = byteCount > byteCountMax
        return isTooLarge ? -1 : 0
    }

    /// The key for ssh; HTTP has what it needs from the first request on.
    func authenticate(
        _ result: UnsafeMutablePointer<UnsafeMutablePointer<git_credential>?>?, allowed: UInt32
    ) -> Int32 {
        credentialCount += 1
        guard case .key(let file, _) = access, credentialCount <= 2, isPeerAllowed() else {
            return GIT_EAUTH.rawValue
        }
        let user = remote.user ?? "git"
        if allowed & GIT_CREDENTIAL_SSH_KEY.rawValue != 0 {
            return git_credential_ssh_key_new(result, user, nil, file, nil)
        }
        guard allowed & GIT_CREDENTIAL_USERNAME.rawValue != 0 else { return GIT_EAUTH.rawValue }
        return git_credential_username_new(result, user)
    }

    private func isPeerAllowed() -> Bool {
        if !allowsPrivate { isPrivate = !NetworkAddress.peers().allSatisfy(\.isPublic) }
        return !isPrivate
    }
}

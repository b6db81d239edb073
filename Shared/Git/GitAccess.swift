/// With what a remote lets us in. It goes to the child on its input, and to the remote: nowhere else.
package enum GitAccess: Sendable, Hashable, Codable {
    case open
    /// A user name and a password or token, for one host alone: with the port unless it is the
    /// scheme's own.
    case token(user: String, token: String, host: String)
    /// A private key, and the hosts whose keys are known (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
    case key(file: String, knownHostsFile: String)
}

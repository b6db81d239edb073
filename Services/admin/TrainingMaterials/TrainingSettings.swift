import Git
import MarkdownPages
import ServiceRuntime

/// Where the training materials are, how they are fetched, and where people read them.
struct TrainingSettings: Sendable {
    let remote: GitRemoteURL
    let path: String
    let access: GitAccess
    /// Whether the remote may be a folder of this machine, or in a network of ours.
    let allowsPrivate: Bool
    let limits: GitLimits
    /// A child that works longer is killed: a remote may accept and never answer.
    let deadline: Duration
    /// Where a site made of the materials is served, if one is.
    let site: String?

    /// Nil where no repository is configured.
    init?(from reader: inout SettingsReader) {
        let path = reader.text("TRAINING_MATERIALS_PATH", default: "./training-materials")
        let deadline = reader.seconds("TRAINING_MATERIALS_GIT_SECONDS", default: 40, in: 1...45)
        let allowsPrivate = reader.bool("TRAINING_MATERIALS_ALLOW_PRIVATE", default: false)
        var limits = GitLimits()
        limits.repositoryByteCountMax =
            reader.count("TRAINING_MATERIALS_REPO_MB", default: 512, in: 1...10_000) << 20
        limits.pageCountMax = reader.count(
            "TRAINING_MATERIALS_PAGES", default: limits.pageCountMax, in: 1...50_000)
        limits.pageByteCountMax =
            reader.count("TRAINING_MATERIALS_PAGE_KB", default: 1024, in: 1...8192) << 10
        let site = reader.optionalURL("TRAINING_MATERIALS_SITE_URL")
        let remote = Self.remote(allowsPrivate, &reader)
        let access = Self.access(remote, &reader)
        guard let remote else { return nil }
        self.remote = remote
        self.path = path
        self.access = access
        self.allowsPrivate = allowsPrivate
        self.limits = limits
        self.deadline = deadline
        self.site = site
    }

    private static func remote(
        _ allowsPrivate: Bool, _ reader: inout SettingsReader
    ) -> GitRemoteURL? {
        let name = "TRAINING_MATERIALS_REPO_URL"
        guard let url = reader.optionalText(name) else { return nil }
        do throws(GitRemoteURL.Problem) {
            let remote = try GitRemoteURL(url)
            if !allowsPrivate, remote.scheme == .file || remote.scheme == .http {
                reader.problem(
                    "\(name) must begin with https:// or ssh:// unless "
                        + "TRAINING_MATERIALS_ALLOW_PRIVATE is true")
            }
            return remote
        } catch {
            switch error {
            case .holdsPassword:
                reader.problem(
                    "\(name) must hold no user and no password: there is TRAINING_MATERIALS_TOKEN")
            case .notUnderstood:
                reader.problem(
                    "\(name) must begin with https://, ssh://, http:// or file://, or be "
                        + "user@host:path or a path")
            }
            return nil
        }
    }

    private static func access(
        _ remote: GitRemoteURL?, _ reader: inout SettingsReader
    ) -> GitAccess {
        let token = reader.optionalSecret("TRAINING_MATERIALS_TOKEN")
        let host = reader.optionalText("TRAINING_MATERIALS_TOKEN_HOST")
        // Any name does for most forges: the token says whose it is.
        let user = reader.text("TRAINING_MATERIALS_TOKEN_USER", default: "oauth2")
        let key = reader.optionalText("TRAINING_MATERIALS_SSH_KEY_FILE")
        let knownHosts = reader.optionalText("TRAINING_MATERIALS_SSH_KNOWN_HOSTS_FILE")
        if (key == nil) != (knownHosts == nil) {
            reader.problem(
                "TRAINING_MATERIALS_SSH_KEY_FILE and TRAINING_MATERIALS_SSH_KNOWN_HOSTS_FILE go "
                    + "together")
        }
        if token != nil, host == nil {
            reader.problem(
                "TRAINING_MATERIALS_TOKEN needs TRAINING_MATERIALS_TOKEN_HOST, the one host that "
                    + "gets it")
        }
        switch remote?.scheme {
        case .ssh:
            guard let key, let knownHosts else {
                reader.problem(
                    "TRAINING_MATERIALS_REPO_URL over ssh needs TRAINING_MATERIALS_SSH_KEY_FILE and "
                        + "TRAINING_MATERIALS_SSH_KNOWN_HOSTS_FILE")
                return .open
            }
            return .key(file: key, knownHostsFile: knownHosts)
        case .https, .http:
            guard let token, let host else { return .open }
            return .token(user: user, token: token, host: host.lowercased())
        case .file, nil: return .open
        }
    }
}

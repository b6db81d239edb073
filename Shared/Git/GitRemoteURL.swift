internal import FoundationEssentials

/// Where a repository is: https, http, ssh, `file:` or a path. Nothing else is asked.
package struct GitRemoteURL: Sendable, Hashable {
    package enum Scheme: Sendable, Hashable {
        case https
        case http
        case ssh
        /// A folder of this machine.
        case file
    }

    package enum Problem: Error, Hashable {
        /// A password would stand in logs, in the clone's configuration and in answers.
        case holdsPassword
        /// No scheme of ours, or no URL at all.
        case notUnderstood
    }

    package let scheme: Scheme
    /// What libgit2 is given: without a password, a path made absolute.
    package let address: String
    /// In lower case, with the port unless it is the scheme's own; nil for a folder.
    package let host: String?
    /// Who to be over ssh.
    package let user: String?
    /// In the host, without the slash before it.
    private let path: String

    private static let byteCountMax = 2048

    package init(_ text: String) throws(Problem) {
        guard !text.isEmpty, text.utf8.count <= Self.byteCountMax,
            text.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value != 127 })
        else { throw .notUnderstood }
        if let separator = text.firstRange(of: "://") {
            let scheme = text[..<separator.lowerBound].lowercased()
            try self.init(scheme: scheme, rest: text[separator.upperBound...], text)
        } else if text.prefix(while: { $0 != "/" }).contains(":") {
            // `user@host:path` is how ssh is written too: a path has no colon before its first slash.
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let place = try Place(parts[0])
            guard place.user != nil, place.port == nil, !place.hasPassword, !parts[1].isEmpty,
                !parts[1].hasPrefix("-")
            else { throw .notUnderstood }
            self.init(.ssh, address: text, place, path: String(parts[1]))
        } else {
            let folder = FileManager.default.currentDirectoryPath
            self.init(.file, address: text.hasPrefix("/") ? text : folder + "/" + text)
        }
    }

    private init(scheme: String, rest: Substring, _ text: String) throws(Problem) {
        if scheme == "file" {
            guard rest.hasPrefix("/") else { throw .notUnderstood }
            self.init(.file, address: "file://\(rest)")
            return
        }
        let known: [String: Scheme] = ["https": .https, "http": .http, "ssh": .ssh]
        guard let known = known[scheme], !rest.contains("?"), !rest.contains("#") else {
            throw .notUnderstood
        }
        let authority = rest.prefix { $0 != "/" }
        let path = rest[authority.endIndex...]
        let place = try Place(authority)
        if place.hasPassword { throw .holdsPassword }
        if known == .ssh {
            guard path.count > 1 else { throw .notUnderstood }
        } else if place.user != nil {
            // A token is often written as a user without a password.
            throw .holdsPassword
        }
        self.init(
            known, address: "\(scheme)://\(authority)\(path)", place, path: String(path.dropFirst())
        )
    }

    private init(_ scheme: Scheme, address: String, _ place: Place? = nil, path: String = "") {
        self.scheme = scheme
        self.address = address
        let usual = [Scheme.https: "443", .http: "80", .ssh: "22"][scheme]
        host = place.map {
            $0.port == nil || $0.port == usual ? $0.host : "\($0.host):\($0.port ?? "")"
        }
        user = place?.user
        self.path = path
    }

    /// Where a person can read a file of a commit, or of the newest (`HEAD`); for a repository that is
    /// no forge's, the path alone. Over ssh, the forge of that host is meant.
    package func page(_ file: String, commit: String) -> String {
        guard let base = forge else { return file }
        return "\(base)/blob/\(commit)/\(Self.encoded(file))"
    }

    /// Whether files have addresses that a browser opens.
    package var hasPages: Bool { forge != nil }

    private var forge: String? {
        guard let host else { return nil }
        var path = path
        while path.hasPrefix("/") { path.removeFirst() }
        while path.hasSuffix("/") { path.removeLast() }
        if path.hasSuffix(".git") { path.removeLast(4) }
        switch scheme {
        case .file: return nil
        case .http: return "http://\(host)/\(path)"
        case .https: return "https://\(host)/\(path)"
        case .ssh: return "https://\(host.prefix { $0 != ":" })/\(path)"
        }
    }

    private static func encoded(_ path: String) -> String {
        let plain = Set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/".utf8)
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in path.utf8 {
            if plain.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The part of a URL before its path: `user:password@host:port`.
private struct Place {
    let user: String?
    let hasPassword: Bool
    let host: String
    let port: String?

    init(_ text: Substring) throws(GitRemoteURL.Problem) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let names = parts.dropLast().joined(separator: "@")
        hasPassword = names.contains(":") || names.contains("@")
        user = parts.count > 1 ? names : nil
        if let user, !hasPassword, !Self.isName(user) { throw .notUnderstood }
        let place = parts.last ?? ""
        let isIPv6 = place.hasPrefix("[")
        let end =
            isIPv6 ? place.firstIndex(of: "]").map(place.index(after:)) : place.firstIndex(of: ":")
        if isIPv6, end == nil { throw .notUnderstood }
        let host = place[..<(end ?? place.endIndex)]
        let rest = place.dropFirst(host.count)
        guard Self.isHost(host), rest.isEmpty || rest.first == ":" else { throw .notUnderstood }
        self.host = host.lowercased()
        port = rest.isEmpty ? nil : String(rest.dropFirst())
        if let port {
            guard port.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt16(port),
                number > 0
            else { throw .notUnderstood }
        }
    }

    /// A name, or an address of IPv4; one of IPv6 in brackets.
    private static func isHost(_ text: Substring) -> Bool {
        if text.hasPrefix("[") {
            return text.dropFirst().dropLast().allSatisfy { $0.isHexDigit || ":.".contains($0) }
        }
        return isName(String(text))
    }

    /// Nothing that could be an option of a command, or the end of a host's name.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.first != "-" && text.first != "."
            && text.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
                    || (48...57).contains(byte) || (65...90).contains(byte)
                    || (97...122).contains(byte)
            }
    }
}

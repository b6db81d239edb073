internal import FoundationEssentials

/// Where a repository is: http, https, `file:` or a path. Nothing else is asked.
package struct GitRemoteURL: Sendable, Hashable {
    /// What libgit2 is given: without credentials, a path made absolute.
    package let address: String
    package let credentials: GitCredentials?

    /// Nil when the scheme is none of ours, or it is no URL at all.
    package init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= 2048,
            text.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value != 127 })
        else { return nil }
        guard let separator = text.firstRange(of: "://") else {
            // `host:path` is how ssh is written: a path has no colon before its first slash.
            guard !text.prefix(while: { $0 != "/" }).contains(":") else { return nil }
            address =
                text.hasPrefix("/")
                ? text : FileManager.default.currentDirectoryPath + "/" + text
            credentials = nil
            return
        }
        let scheme = text[..<separator.lowerBound].lowercased()
        let rest = text[separator.upperBound...]
        switch scheme {
        case "file":
            guard rest.hasPrefix("/") else { return nil }
            address = "file://\(rest)"
            credentials = nil
        case "http", "https":
            let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            let path = rest[authority.endIndex...]
            let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
            guard !host.isEmpty else { return nil }
            address = "\(scheme)://\(host)\(path)"
            credentials =
                host.count == authority.count
                ? nil : GitCredentials(authority.dropLast(host.count + 1))
        default: return nil
        }
    }

    /// Where a person can read a file of a commit; for a repository without pages, the path alone.
    package func page(_ path: String, commit: String) -> String {
        guard address.hasPrefix("http") else { return path }
        var base = address
        while base.hasSuffix("/") { base.removeLast() }
        if base.hasSuffix(".git") { base.removeLast(4) }
        return "\(base)/blob/\(commit)/\(Self.encoded(path))"
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

/// A user name and a password or token for the remote.
package struct GitCredentials: Sendable, Hashable, Codable {
    package let user: String
    package let password: String

    /// From the part of a URL before the `@`.
    init(_ userInfo: Substring) {
        let parts = userInfo.split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false
        ).map(Self.decoded)
        user = parts.first ?? ""
        password = parts.count > 1 ? parts[1] : ""
    }

    /// Percent-decoded; a `%` that leads nothing stands for itself.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Substring(text)
        while let first = rest.utf8.first {
            let digits = rest.dropFirst().prefix(2)
            if first == UInt8(ascii: "%"), digits.utf8.count == 2,
                let byte = UInt8(digits, radix: 16)
            {
                bytes.append(byte)
                rest = rest.dropFirst(3)
            } else {
                let character = rest.removeFirst()
                bytes += Array(character.utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

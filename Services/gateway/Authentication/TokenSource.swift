import NIOHTTP1

/// Where a caller's token may stand, and which place wins.
struct TokenSource: Sendable {
    /// `OAUTH2_JWT_COOKIE_NAME`; nil if tokens in cookies are not read.
    let cookieName: String?

    /// The first place that holds anything decides; the others are not looked at.
    func token(in headers: HTTPHeaders) -> String? {
        for value in headers["X-Auth-Request-Access-Token"] {
            let token = Self.trimmed(value[...])
            if !token.isEmpty { return token }
        }
        for value in headers["Authorization"] {
            let parts = Self.trimmed(value[...]).split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { continue }
            let token = Self.trimmed(parts[1])
            if !token.isEmpty { return token }
        }
        return cookie(in: headers)
    }

    private func cookie(in headers: HTTPHeaders) -> String? {
        guard let cookieName else { return nil }
        for value in headers["Cookie"] {
            for pair in value.split(separator: ";") {
                let parts = pair.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, Self.trimmed(parts[0]) == cookieName else { continue }
                var token = Self.trimmed(parts[1])
                if token.count >= 2, token.hasPrefix("\""), token.hasSuffix("\"") {
                    token = String(token.dropFirst().dropLast())
                }
                if !token.isEmpty { return token }
            }
        }
        return nil
    }

    /// Without spaces and tabs around it.
    private static func trimmed(_ text: Substring) -> String {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let bytes = text.utf8
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(text[first...last])
    }
}

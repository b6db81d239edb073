import NIOHTTP1

/// Keeps other sites from using a visitor's token, and lets named origins in (CORS).
struct CrossSite: Sendable {
    enum Verdict: Equatable {
        case allowed
        case refused
    }

    /// `PUBLIC_ORIGINS`: where our own pages are served from.
    let publicOrigins: Set<String>
    /// `CORS_ALLOWED_ORIGINS`: others that may call from a browser.
    let allowedOrigins: Set<String>

    init(publicOrigins: [String], allowedOrigins: [String]) {
        self.publicOrigins = Set(publicOrigins.map(Self.normalized))
        self.allowedOrigins = Set(allowedOrigins.map(Self.normalized))
    }

    /// An unsafe method from a page that is neither ours nor let in is refused, whatever carried
    /// the token. Requests of programs have neither header and pass.
    func judge(_ head: HTTPRequestHead) -> Verdict {
        guard !Self.isSafe(head.method) else { return .allowed }
        let origins = head.headers["Origin"]
        let isNamed = !origins.isEmpty && origins.allSatisfy(isNamed)
        if isNamed { return .allowed }
        if head.headers["Sec-Fetch-Site"].contains(where: { $0.lowercased() == "cross-site" }) {
            return .refused
        }
        let host = head.headers.first(name: "Host") ?? ""
        return origins.allSatisfy { Self.isOrigin($0, of: host) } ? .allowed : .refused
    }

    /// The origin to name in a response, if the request's is let in by CORS.
    func corsOrigin(of headers: HTTPHeaders) -> String? {
        guard let origin = headers.first(name: "Origin"),
            allowedOrigins.contains(Self.normalized(origin))
        else { return nil }
        return origin
    }

    static func isSafe(_ method: HTTPMethod) -> Bool {
        method == .GET || method == .HEAD || method == .OPTIONS
    }

    private func isNamed(_ origin: String) -> Bool {
        let origin = Self.normalized(origin)
        return publicOrigins.contains(origin) || allowedOrigins.contains(origin)
    }

    /// The request's own host, whatever terminated TLS before us.
    private static func isOrigin(_ origin: String, of host: String) -> Bool {
        guard !host.isEmpty else { return false }
        let host = host.lowercased()
        for scheme in ["http", "https"] {
            let own = normalized(scheme + "://" + host)
            if normalized(origin) == own { return true }
        }
        return false
    }

    /// Lower case, no slash at the end, no port that the scheme implies.
    private static func normalized(_ origin: String) -> String {
        var origin = origin.lowercased()
        if origin.hasSuffix("/") { origin.removeLast() }
        if origin.hasPrefix("http://"), origin.hasSuffix(":80") { origin.removeLast(3) }
        if origin.hasPrefix("https://"), origin.hasSuffix(":443") { origin.removeLast(4) }
        return origin
    }
}

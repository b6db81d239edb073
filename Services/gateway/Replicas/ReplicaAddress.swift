/// Where a service listens, as the settings say it: `http://host[:port]`.
///
/// A name may stand for many replicas.
struct ReplicaAddress: Sendable, Hashable {
    let host: String
    let port: Int
    let authority: String

    /// Nil unless it is a plain `http` address without path, query or user.
    init?(_ url: some StringProtocol) {
        let url = url.hasSuffix("/") ? url.dropLast() : url[...]
        guard url.hasPrefix("http://") else { return nil }
        let authority = url.dropFirst("http://".count)
        guard !authority.isEmpty, !authority.contains(where: { "/?#@ ,".contains($0) }) else {
            return nil
        }
        var host = String(authority)
        var port = 80
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = Int(authority[authority.index(after: colon)...]),
                (1...65_535).contains(number)
            else { return nil }
            port = number
            host = String(authority[..<colon])
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.host = host
        self.port = port
        self.authority = String(authority)
    }
}

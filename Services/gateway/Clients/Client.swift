import NIOHTTP1

/// Where a request comes from.
struct Client: Sendable, Equatable {
    /// Nil only where there is no such thing, as on a Unix domain socket.
    let address: IPAddress?
    /// `http` or `https`, as the client sees it.
    let scheme: String
    /// As the client addressed us; empty if it did not say.
    let host: String
}

/// The proxies before us whose word on a client is taken (`TRUSTED_PROXIES`).
struct TrustedProxies: Sendable {
    /// More hops than anybody has; what is before them is not looked at.
    private static let hopCountMax = 32

    let networks: [IPNetwork]

    func contain(_ address: IPAddress?) -> Bool {
        guard let address else { return false }
        return networks.contains { $0.contains(address) }
    }

    /// The client of a request that came from `peer`.
    ///
    /// From a trusted proxy: the last address of `X-Forwarded-For` that is not a trusted proxy's, the
    /// only one that somebody we trust has written down; and what it says of scheme and host. From
    /// anybody else these headers mean nothing.
    func client(of headers: HTTPHeaders, from peer: IPAddress?, scheme: String) -> Client {
        let host = headers.first(name: "Host") ?? ""
        guard contain(peer) else { return Client(address: peer, scheme: scheme, host: host) }
        let said = headers.first(name: "X-Forwarded-Proto")?.lowercased()
        let saidHost = headers.first(name: "X-Forwarded-Host")
        return Client(
            address: address(in: headers, from: peer),
            scheme: said == "https" || said == "http" ? said ?? scheme : scheme,
            host: saidHost.flatMap { Self.isHost($0) ? $0 : nil } ?? host)
    }

    private func address(in headers: HTTPHeaders, from peer: IPAddress?) -> IPAddress? {
        var nearest = peer
        let hops = headers[canonicalForm: "X-Forwarded-For"].suffix(Self.hopCountMax)
        for hop in hops.reversed() {
            // What is no address was written by nobody we trust, nor is what stands before it.
            guard let address = Self.address(hop) else { return nearest }
            nearest = address
            if !contain(address) { return address }
        }
        return nearest
    }

    /// Some write a port too, and brackets around IPv6.
    private static func address(_ text: Substring) -> IPAddress? {
        if let address = IPAddress(text) { return address }
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return IPAddress(text[text.index(after: text.startIndex)..<end])
        }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        return IPAddress(text[..<colon])
    }

    private static func isHost(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\",;/\\@".utf8.contains($0) }
    }
}

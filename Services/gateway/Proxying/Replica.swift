import NIOCore

/// One address of a service, as one event loop sees it. Only touched on that loop.
final class Replica {
    /// How long an address that refused a connection is asked last.
    private static let avoidance: TimeAmount = .seconds(1)

    let host: String
    let port: Int
    /// What `Host` says.
    let authority: String
    /// Requests of this loop that it has not finished answering.
    var outstandingCount = 0
    var avoidedUntil = NIODeadline.distantPast
    private(set) var idle: [UpstreamConnection] = []

    init(address: ReplicaAddress) {
        host = address.host
        port = address.port
        authority = address.authority
    }

    func avoid() { avoidedUntil = .now() + Self.avoidance }

    func popIdle() -> UpstreamConnection? { idle.popLast() }

    func keep(_ connection: UpstreamConnection, limits: RequestLimits) {
        guard idle.count < limits.upstreamIdleCountMax else { return connection.close() }
        idle.append(connection)
    }

    func forget(_ connection: UpstreamConnection) { idle.removeAll { $0 === connection } }

    /// Closes what was not used for too long; the oldest come first.
    func closeIdle(before instant: NIODeadline) {
        for connection in idle.filter({ $0.idleSince < instant }) { connection.close() }
    }
}

/// Where one replica of a service listens: `http://host[:port]`.
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

    var url: String { "http://" + authority }
}

import NIOCore
import Synchronization

/// One address of a service, as all event loops see it.
final class ReplicaState: Sendable {
    /// How long one that failed is asked last: twice as long after each failure in a row.
    private static let (avoidanceMin, avoidanceMax) = (
        TimeAmount.seconds(1), TimeAmount.seconds(30)
    )

    let address: ReplicaAddress
    private let outstanding = Atomic(0)
    private let failures = Atomic(0)
    /// Of `NIODeadline`.
    private let avoidedUntilNanoseconds = Atomic<UInt64>(0)

    init(address: ReplicaAddress) { self.address = address }

    /// Requests that it has not finished answering.
    var outstandingCount: Int { outstanding.load(ordering: .relaxed) }

    func begin() { outstanding.add(1, ordering: .relaxed) }
    func end() { outstanding.subtract(1, ordering: .relaxed) }

    /// Last resort only: it refused a connection, or broke one off without an answer.
    func isAvoided(at now: NIODeadline) -> Bool {
        avoidedUntilNanoseconds.load(ordering: .relaxed) > now.uptimeNanoseconds
    }

    func fail(at now: NIODeadline = .now()) {
        let before = failures.add(1, ordering: .relaxed).oldValue
        let pause = min(Self.avoidanceMin * (1 << min(before, 8)), Self.avoidanceMax)
        avoidedUntilNanoseconds.store((now + pause).uptimeNanoseconds, ordering: .relaxed)
    }

    /// It has answered.
    func succeed() {
        guard failures.load(ordering: .relaxed) != 0 else { return }
        failures.store(0, ordering: .relaxed)
        avoidedUntilNanoseconds.store(0, ordering: .relaxed)
    }
}

/// One event loop's connections to a replica. Only touched on that loop.
final class Replica {
    let state: ReplicaState
    private(set) var idle: [UpstreamConnection] = []

    init(state: ReplicaState) { self.state = state }

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

import ServiceRuntime
import Synchronization

/// What all clients of this replica may have together, and each one. Each replica counts for itself.
final class ClientLimits: Sendable {
    struct Settings: Sendable {
        var connectionCountMax = 20_000
        /// Zero for no limit, as with the rest.
        var connectionsPerAddress = 0
        var requestsPerUser = 0
        var requestsPerAddress = 0
        var streamsPerUser = 0

        init() {}

        /// In development nobody is kept waiting, unless a limit is set by name.
        init(from reader: inout SettingsReader) {
            let isDev = reader.appEnvironment == .dev
            connectionCountMax = reader.count(
                "CONNECTIONS_MAX", default: connectionCountMax, in: 1...1_000_000)
            connectionsPerAddress = reader.count(
                "CONNECTIONS_PER_ADDRESS", default: isDev ? 0 : 1000, in: 0...1_000_000)
            requestsPerUser = reader.count(
                "REQUESTS_PER_USER", default: isDev ? 0 : 600, in: 0...1_000_000)
            requestsPerAddress = reader.count(
                "REQUESTS_PER_ADDRESS", default: isDev ? 0 : 120, in: 0...1_000_000)
            streamsPerUser = reader.count(
                "STREAMS_PER_USER", default: isDev ? 0 : 32, in: 0...100_000)
        }
    }

    private let connectionCountMax: Int
    private let connectionCount = Atomic(0)
    private let connections: ConcurrencyLimit<IPAddress>?
    private let requestsOfUsers: RateLimit<String>?
    private let requestsOfAddresses: RateLimit<IPAddress>?
    private let streams: ConcurrencyLimit<String>?

    init(_ settings: Settings) {
        connectionCountMax = settings.connectionCountMax
        connections = ConcurrencyLimit(countMax: settings.connectionsPerAddress)
        requestsOfUsers = RateLimit(perMinute: settings.requestsPerUser)
        requestsOfAddresses = RateLimit(perMinute: settings.requestsPerAddress)
        streams = ConcurrencyLimit(countMax: settings.streamsPerUser)
    }

    /// A place for a connection, given back with `leave`; or why there is none.
    ///
    /// - Parameter address: nil for a trusted proxy, which speaks for many.
    func enter(_ address: IPAddress?) -> Problem? {
        let count = connectionCount.add(1, ordering: .relaxed).newValue
        if count > connectionCountMax {
            connectionCount.subtract(1, ordering: .relaxed)
            return .tooManyConnections
        }
        if let address, let connections, !connections.enter(address.subscriber) {
            connectionCount.subtract(1, ordering: .relaxed)
            return .tooManyConnectionsOfAddress
        }
        return nil
    }

    func leave(_ address: IPAddress?) {
        connectionCount.subtract(1, ordering: .relaxed)
        if let address { connections?.leave(address.subscriber) }
    }

    /// Counts a request of a user.
    func request(ofUser user: String) -> Problem? {
        requestsOfUsers?.take(user).map(Problem.tooManyRequests)
    }

    /// Counts a request without a valid token.
    func request(from address: IPAddress?) -> Problem? {
        guard let address else { return nil }
        return requestsOfAddresses?.take(address.subscriber).map(Problem.tooManyRequests)
    }

    /// A place for an event stream, given back with `endStream`; or why there is none.
    func beginStream(ofUser user: String) -> Problem? {
        guard let streams, !streams.enter(user) else { return nil }
        return .tooManyStreams
    }

    func endStream(ofUser user: String) { streams?.leave(user) }
}

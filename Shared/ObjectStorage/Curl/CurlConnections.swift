import Synchronization

/// Connections to one server: a fixed number, each with a short queue. A request takes the one that
/// has least to do.
final class CurlConnections: Sendable {
    private let connections: [CurlConnection]
    private let requestCounts: Mutex<[Int]>

    private static let connectionCount = 16
    /// On one connection, the running one included.
    private static let requestCountMax = 8

    init(_ settings: CurlSettings) {
        connections = (0..<Self.connectionCount).map { _ in CurlConnection(settings) }
        requestCounts = Mutex(Array(repeating: 0, count: Self.connectionCount))
    }

    func send(
        _ request: CurlRequest, isCancellable: Bool = true
    ) async throws(CurlError) -> CurlAnswer {
        let index = try take()
        defer { requestCounts.withLock { $0[index] -= 1 } }
        return try await connections[index].send(request, isCancellable: isCancellable)
    }

    /// The first among equals, so that few connections are kept where few are needed.
    private func take() throws(CurlError) -> Int {
        let index = requestCounts.withLock { counts -> Int? in
            guard let least = counts.min(), least < Self.requestCountMax,
                let index = counts.firstIndex(of: least)
            else { return nil }
            counts[index] += 1
            return index
        }
        guard let index else { throw .busy }
        return index
    }
}

package import AsyncHTTPClient

/// Closes a process's outbound connections after `body`, which ends when everything that uses them has
/// stopped; and when it does not get far.
package func withOutboundConnections(
    _ client: HTTPClient, _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch {
        // What went wrong first is what is told.
        try? await client.shutdown()
        throw error
    }
    try await client.shutdown()
}

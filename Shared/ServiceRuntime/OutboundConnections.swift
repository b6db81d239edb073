package import AsyncHTTPClient

/// Keeps a process's outbound connections while `body` runs, which ends when everything that uses them
/// has stopped. They are closed too when it does not get far.
package func withOutboundConnections(
    _ client: HTTPClient, _ body: (HTTPClient) async throws -> Void
) async throws {
    do {
        try await body(client)
    } catch {
        // What went wrong first is what is told.
        try? await client.shutdown()
        throw error
    }
    try await client.shutdown()
}

package import AsyncHTTPClient
import ServiceLifecycle

/// Keeps a process's outbound connections until everything that uses them has stopped: list it
/// before its users.
package struct OutboundConnections: Service {
    package let client: HTTPClient

    package init(_ client: HTTPClient) { self.client = client }

    package func run() async throws {
        // Cancelled or asked to stop, the connections are closed either way.
        try? await gracefulShutdown()
        try await client.shutdown()
    }
}

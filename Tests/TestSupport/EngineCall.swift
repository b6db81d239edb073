import AsyncHTTPClient
package import FoundationEssentials
import NIOCore
package import NIOHTTP1

/// Says to the vector engine what our code never would. The answer's bytes.
///
/// - Parameter url: nil is the test stack's.
@discardableResult
package func callEngine(
    _ method: HTTPMethod, _ path: String, _ json: String? = nil, at url: String? = nil
) async throws -> Data {
    var request = HTTPClientRequest(url: try (url ?? environment("TEST_QDRANT_URL")) + path)
    request.method = method
    request.headers.add(name: "Content-Type", value: "application/json")
    if let json { request.body = .bytes(ByteBuffer(string: json)) }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let body = try await response.body.collect(upTo: 16 << 20)
    guard response.status == .ok else {
        throw CommandFailure(command: "\(method) \(path)", printed: String(buffer: body))
    }
    return Data(body.readableBytesView)
}

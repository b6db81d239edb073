import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization
import TestSupport

/// A vector engine of one test's own, to be killed and started again on the same data.
final class VectorEngine: Sendable {
    let url: String
    private let port: Int
    private let folder: String
    private let running = Mutex<RunningProcess?>(nil)

    /// Runs `body` beside a running one, and leaves nothing of it.
    static func run<Value>(_ body: (VectorEngine) async throws -> Value) async throws -> Value {
        let engine = try VectorEngine()
        defer { engine.remove() }
        try await engine.start()
        return try await body(engine)
    }

    private init() throws {
        port = try freePort()
        url = "http://127.0.0.1:\(port)"
        folder = NSTemporaryDirectory() + "celine-engine-\(UUID().uuidString.lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func start() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        let process = try RunningProcess(
            "\(root)/.local/venv/bin/python",
            ["-m", "qdrant_server", "--folder", "\(folder)/data", "--port", String(port)],
            environment: [
                "PATH": "/usr/bin:/bin", "PYTHONPATH": "\(root)/Tests/LocalStack",
                "PYTHONDONTWRITEBYTECODE": "1",
            ], in: folder)
        running.withLock { $0 = process }
        try await eventually {
            let request = HTTPClientRequest(url: url + "/readyz")
            // Not listening yet is one of the answers we wait out.
            let answer = try? await HTTPClient.shared.execute(request, timeout: .seconds(2))
            return answer?.status == .ok
        }
    }

    func kill() { running.withLock { $0?.kill9() } }

    private func remove() {
        kill()
        // Else it stays in the folder for temporary files.
        try? FileManager.default.removeItem(atPath: folder)
    }
}

import AsyncHTTPClient
import Foundation
import Identity
import Logging
import NIOCore
import OutboundHTTP
import ServiceLifecycle
import ServiceRuntime
import Synchronization
import TestSupport

@testable import Gateway

/// A gateway on a free port, its issuer on another.
struct GatewayFixture: Sendable {
    let port: Int
    let issuer: TestIssuer
    let publicKey: String
    /// Looks when a test says so, not by itself.
    let watch: ReplicaWatch
    let identity: ServerIdentity?
    private let server: GatewayServer
    private let running: ServiceGroup

    /// As an orchestrator would.
    func stop() async { await running.triggerGracefulShutdown() }

    func metrics() async -> String {
        await server.metrics().map(\.exposition).joined()
    }

    /// `upstreams` are ports; a service that is not named listens nowhere.
    static func run(
        upstreams: [Upstream: [Int]] = [:], settings: [String: String] = [:],
        resolve: @escaping NameResolver = resolveBySystem,
        limits: RequestLimits? = nil, accessLog: LogOutput? = nil,
        drainMax: TimeAmount = .milliseconds(300),
        _ body: (GatewayFixture) async throws -> Void
    ) async throws {
        let client = OutboundHTTP.makeClient()
        do {
            try await run(client, upstreams, settings, resolve, limits, accessLog, drainMax, body)
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    private static func run(
        _ client: HTTPClient, _ upstreams: [Upstream: [Int]], _ settings: [String: String],
        _ resolve: @escaping NameResolver, _ limits: RequestLimits?,
        _ accessLog: LogOutput?, _ drainMax: TimeAmount,
        _ body: (GatewayFixture) async throws -> Void
    ) async throws {
        let keys = InternalKeys.generate()
        let closed = try await closedPort()
        try await RawServer.run(Self.serveKeys) { issuerServer in
            let issuer = TestIssuer()
            var values = [
                "APP_ENV": "dev", "HTTP_PORT": "0", "INTERNAL_AUTH_KEY": keys.privateKey,
                "OAUTH2_ISSUER": issuer.address,
                "OAUTH2_JWKS_URL": "http://127.0.0.1:\(issuerServer.port)/jwks",
            ]
            for upstream in Upstream.allCases {
                let ports = upstreams[upstream] ?? [closed]
                values[upstream.rawValue.uppercased() + "_URL"] =
                    ports.map { "http://127.0.0.1:\($0)" }.joined(separator: ",")
            }
            values.merge(settings) { $1 }
            var reader = SettingsReader(values)
            let settings = try GatewaySettings(from: &reader)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let (ports, listening) = AsyncStream.makeStream(of: Int.self)
            let gateway = try GatewayComposition(
                settings: settings,
                http: OutboundHTTP(client: client, peer: "test", logger: logger), logger: logger,
                resolve: resolve, limits: limits, accessLog: accessLog, drainMax: drainMax,
                onListening: { listening.yield($0) })
            await gateway.keys.refresh()
            await gateway.watch.resolveAll()
            try await withThrowingTaskGroup(of: Void.self) { [gateway] group in
                let running = ServiceGroup(
                    configuration: .init(services: [.init(service: gateway.server)], logger: logger)
                )
                group.addTask {
                    do {
                        try await running.run()
                    } catch is CancellationError {
                        // The body's end.
                    }
                }
                for await port in ports {
                    do {
                        try await body(
                            GatewayFixture(
                                port: port, issuer: issuer, publicKey: keys.publicKey,
                                watch: gateway.watch, identity: gateway.identity,
                                server: gateway.server, running: running))
                    } catch {
                        group.cancelAll()
                        throw error
                    }
                    break
                }
                group.cancelAll()
            }
        }
    }

    private static func serveKeys(_ connection: RawConnection) async throws {
        while await connection.message() != nil {
            let body = try TestIssuer().jwks()
            try await connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
    }

    /// A port where nobody listens any more.
    private static func closedPort() async throws -> Int {
        try await RawServer.run({ _ in }, { $0.port })
    }

    func connect<R>(_ body: (RawConnection) async throws -> R) async throws -> R {
        try await RawConnection.connect(port: port, body)
    }

    /// One request on a connection of its own, with a good token unless told otherwise.
    func ask(
        _ method: String, _ path: String, headers: [String] = [], body: String = "",
        withToken: Bool = true
    ) async throws -> RawMessage? {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: gateway.test"] + headers
        if withToken { lines.append("Authorization: Bearer \(try await issuer.token())") }
        if !body.isEmpty { lines.append("Content-Length: \(body.utf8.count)") }
        let request = lines.joined(separator: "\r\n") + "\r\n\r\n" + body
        return try await connect { connection in
            try await connection.send(request)
            return await connection.message(hasBody: method != "HEAD")
        }
    }
}

/// A service that answers everything with what it was asked, and remembers it.
final class EchoService: Sendable {
    let seen = Shared<[RawMessage]>([])
    let connectionCount = Shared(0)
    let name: String

    init(name: String = "echo") { self.name = name }

    func handle(_ connection: RawConnection) async throws {
        connectionCount.withLock { $0 += 1 }
        while let request = await connection.message() {
            seen.withLock { $0.append(request) }
            let body = "\(name) \(request.startLine)"
            try await connection.send(
                """
                HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nServer: inner\r\n\
                X-Request-Id: theirs\r\n\r\n\(body)
                """)
        }
    }

    var last: RawMessage? { seen.withLock { $0.last } }
    var count: Int { seen.withLock { $0.count } }
}

/// A value that a test and its servers share.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    func withLock<R: Sendable>(_ body: (inout Value) -> R) -> R {
        mutex.withLock { value in
            var copy = value
            defer { value = copy }
            return body(&copy)
        }
    }
}

import NIOCore
import TestSupport
import Testing

@testable import Gateway

/// A service's replicas on one port of several loopback addresses, as behind one name.
private final class Replicas: Sendable {
    let port: Int
    private let addresses = Shared<[IPAddress]>([])

    init() throws { port = try freePort() }

    func name(_ numbers: [Int]) {
        let named = numbers.compactMap { IPAddress("127.0.0.\($0)") }
        addresses.withLock { $0 = named }
    }

    var settings: [String: String] { ["CHAT_URL": "http://chat.test:\(port)"] }

    @Sendable func resolve(_ host: String) throws -> [IPAddress] {
        guard host == "chat.test" else { throw NameError(description: "no such name") }
        return addresses.withLock { $0 }
    }

    func run<R>(
        _ number: Int, _ handle: @escaping @Sendable (RawConnection) async throws -> Void,
        _ body: () async throws -> R
    ) async throws -> R {
        try await RawServer.run(host: "127.0.0.\(number)", port: port, handle) { _ in
            try await body()
        }
    }
}

@Suite("Replicas behind a name")
struct ReplicaWatchTests {
    @Test("requests follow the name; what was begun at a replica that went ends there")
    func names() async throws {
        let replicas = try Replicas()
        let (begun, goOn) = (Signal(), Signal())
        let other = EchoService(name: "other")
        try await replicas.run(2) { connection in
            while let request = await connection.message() {
                if request.startLine.contains("/suggestions") {
                    begun.fire()
                    try await goOn.wait()
                }
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none")
            }
        } _: {
            try await replicas.run(3, other.handle) {
                replicas.name([2])
                try await GatewayFixture.run(
                    settings: replicas.settings, resolve: replicas.resolve
                ) { gateway in
                    async let slow = gateway.ask("GET", "/suggestions")
                    try await begun.wait()
                    for _ in 0..<4 {
                        let answer = try await gateway.ask("GET", "/conversations")
                        #expect(answer?.body == "one")
                    }
                    replicas.name([3])
                    await gateway.watch.resolveAll()
                    for _ in 0..<12 {
                        let answer = try await gateway.ask("GET", "/conversations")
                        #expect(answer?.body.hasPrefix("other") == true)
                    }
                    #expect(other.last?.value("host") == "chat.test:\(replicas.port)")
                    goOn.fire()
                    let late = try await slow
                    #expect(late?.body == "one")
                    // A name that leads nowhere for a while leads where it led.
                    replicas.name([])
                    await gateway.watch.resolveAll()
                    let answer = try await gateway.ask("GET", "/conversations")
                    #expect(answer?.status == 200)
                }
            }
        }
    }

    @Test("one that says it is not ready is asked last, and again once it is")
    func notReady() async throws {
        let replicas = try Replicas()
        let isReady = Shared(false)
        let good = EchoService(name: "good")
        try await replicas.run(2) { connection in
            while let request = await connection.message() {
                let isProbe = request.startLine.contains("/internal/ready")
                let status = isProbe && !isReady.withLock { $0 } ? "503 No" : "200 OK"
                try await connection.send("HTTP/1.1 \(status)\r\nContent-Length: 4\r\n\r\nsick")
            }
        } _: {
            try await replicas.run(3, good.handle) {
                replicas.name([2, 3])
                try await GatewayFixture.run(
                    settings: replicas.settings, resolve: replicas.resolve
                ) { gateway in
                    func bodies() async throws -> Set<String> {
                        var bodies: Set<String> = []
                        for _ in 0..<12 {
                            let answer = try await gateway.ask("GET", "/conversations")
                            bodies.insert(String(answer?.body.prefix(4) ?? ""))
                        }
                        return bodies
                    }
                    await gateway.watch.checkAll()
                    let unready = try await bodies()
                    #expect(unready == ["good"])
                    isReady.withLock { $0 = true }
                    await gateway.watch.checkAll()
                    let both = try await bodies()
                    #expect(both == ["good", "sick"])
                    // Where nobody is ready, the service itself says what is the matter.
                    isReady.withLock { $0 = false }
                    replicas.name([2])
                    await gateway.watch.resolveAll()
                    await gateway.watch.checkAll()
                    let alone = try await bodies()
                    #expect(alone == ["sick"])
                }
            }
        }
    }

    @Test("replicas come and go under load: no request fails that was not at one when it went")
    func churn() async throws {
        let replicas = try Replicas()
        replicas.name([2, 3])
        // Odd while a replica goes.
        let era = Shared(0)
        let isOver = Shared(false)
        let (answered, failed) = (Shared(0), Shared(0))
        try await GatewayFixture.run(settings: replicas.settings, resolve: replicas.resolve) {
            gateway in
            let token = try await gateway.issuer.token()
            var running: [Int: Running] = [:]
            for number in [2, 3] { running[number] = try await Running(replicas, number) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<12 {
                    group.addTask {
                        while !isOver.withLock({ $0 }) {
                            try await gateway.connect { connection in
                                for turn in 0..<20 where !connection.isEnded {
                                    let before = era.withLock { $0 }
                                    try await connection.send(
                                        (client + turn).isMultiple(of: 3)
                                            ? request(
                                                "POST", "/search", token, "Content-Length: 1",
                                                body: "x")
                                            : request("GET", "/conversations", token))
                                    let status = await connection.message()?.status
                                    let after = era.withLock { $0 }
                                    if status == 200 {
                                        answered.withLock { $0 += 1 }
                                    } else {
                                        failed.withLock { $0 += 1 }
                                        #expect(
                                            before != after || !before.isMultiple(of: 2),
                                            "\(status ?? 0) without cause")
                                    }
                                }
                            }
                        }
                    }
                }
                for round in 0..<12 {
                    let (old, new) = (2 + round, 4 + round)
                    running[new] = try await Running(replicas, new)
                    replicas.name([old + 1, new])
                    // Every other one goes before its name does, as after a crash.
                    if round.isMultiple(of: 2) { await gateway.watch.resolveAll() }
                    let count = answered.withLock { $0 }
                    try await eventually { answered.withLock { $0 } > count + 50 }
                    era.withLock { $0 += 1 }
                    await running.removeValue(forKey: old)?.stop()
                    era.withLock { $0 += 1 }
                    if !round.isMultiple(of: 2) { await gateway.watch.resolveAll() }
                }
                isOver.withLock { $0 = true }
                try await group.waitForAll()
            }
            for one in running.values { await one.stop() }
        }
        #expect(answered.withLock { $0 } > 600)
        #expect(failed.withLock { $0 } <= 12 * 12)
    }
}

/// A replica that can be taken away at any moment.
private struct Running {
    private let task: Task<Void, any Error>
    private let end = Signal()

    init(_ replicas: Replicas, _ number: Int) async throws {
        let (listens, end) = (Signal(), end)
        let service = EchoService(name: "\(number)")
        task = Task {
            try await replicas.run(number, service.handle) {
                listens.fire()
                try await end.wait(atMost: .seconds(120))
            }
        }
        try await listens.wait()
    }

    func stop() async {
        end.fire()
        _ = await task.result
    }
}

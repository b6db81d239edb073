import Foundation
import NIOCore
import TestSupport
import Testing

@testable import Gateway

@Suite("Replicas of a service")
struct ReplicaTests {
    @Test("one that fails is avoided, for longer each time, until it answers")
    func ejection() throws {
        let address = try #require(IPAddress("127.0.0.1"))
        let replica = ReplicaState(authority: "chat", address: address, port: 8101)
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        #expect(!replica.isAvoided(at: now))
        for seconds in [1, 2, 4, 8, 16, 30, 30] as [Int64] {
            replica.fail(at: now)
            #expect(replica.isAvoided(at: now + .seconds(seconds) - .milliseconds(1)))
            now = now + .seconds(seconds)
            #expect(!replica.isAvoided(at: now))
        }
        replica.fail(at: now)
        #expect(!replica.setReady(true))
        #expect(replica.isAvoided(at: now))
        #expect(replica.setReady(false) && replica.setReady(true))
        #expect(!replica.isAvoided(at: now))
        replica.fail(at: now)
        replica.succeed()
        #expect(!replica.isAvoided(at: now))
        replica.fail(at: now)
        #expect(!replica.isAvoided(at: now + .seconds(1)))
    }

    @Test("one that refuses connections is passed over without a word")
    func refusing() async throws {
        let service = EchoService()
        let closed = try await RawServer.run({ _ in }, { $0.port })
        try await RawServer.run(service.handle) { chat in
            try await GatewayFixture.run(upstreams: [.chat: [closed, chat.port, closed]]) {
                gateway in
                for _ in 0..<12 {
                    let answer = try await gateway.ask("POST", "/chat", body: "x")
                    #expect(answer?.status == 200)
                }
            }
        }
    }

    @Test("one that breaks off without an answer is asked last from then on")
    func breaking() async throws {
        let service = EchoService()
        let brokenCount = Shared(0)
        try await RawServer.run { connection in
            if await connection.message() != nil { brokenCount.withLock { $0 += 1 } }
        } _: { broken in
            try await RawServer.run(service.handle) { chat in
                try await GatewayFixture.run(upstreams: [.chat: [broken.port, chat.port]]) {
                    gateway in
                    let token = try await gateway.issuer.token()
                    var statuses: [Int] = []
                    let began = ContinuousClock.now
                    try await gateway.connect { connection in
                        for _ in 0..<40 {
                            try await connection.send(
                                request("POST", "/chat", token, "Content-Length: 1", body: "x"))
                            statuses.append(await connection.message()?.status ?? 0)
                        }
                    }
                    // Twenty, if it were taken in turn. It is avoided for 1, 2, 4 ... seconds.
                    let count = brokenCount.withLock { $0 }
                    let seconds = (ContinuousClock.now - began) / .seconds(1)
                    #expect((1...Int(log2(seconds + 1)) + 1).contains(count))
                    #expect(statuses.count { $0 == 502 } == count)
                    #expect(statuses.count { $0 == 200 } == 40 - count)
                }
            }
        }
    }

    @Test("the one with the fewest outstanding requests is asked, whatever event loop they are on")
    func leastOutstanding() async throws {
        let free = EchoService(name: "free")
        let (arrived, goOn) = (Signal(), Signal())
        let heldCount = Shared(0)
        try await RawServer.run { connection in
            guard await connection.message() != nil else { return }
            heldCount.withLock { $0 += 1 }
            arrived.fire()
            try await goOn.wait()
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbusy")
            _ = await connection.rest()
        } _: { busy in
            try await RawServer.run(free.handle) { chat in
                try await GatewayFixture.run(upstreams: [.chat: [busy.port, chat.port]]) {
                    gateway in
                    let holder = Task {
                        while try await gateway.ask("GET", "/conversations")?.body != "busy" {}
                    }
                    try await arrived.wait()
                    for _ in 0..<20 {
                        let answer = try await gateway.ask("GET", "/conversations")
                        #expect(answer?.body.hasPrefix("free") == true)
                    }
                    #expect(heldCount.withLock { $0 } == 1)
                    goOn.fire()
                    try await holder.value
                }
            }
        }
    }
}

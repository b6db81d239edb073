import FoundationEssentials
import Logging
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

@Suite("S3")
struct S3StorageTests {
    private static let hundredMegabytes = 100 << 20

    @Test("is refused with a wrong key, in every operation, and no key is in error or log")
    func wrongKey() async throws {
        let log = CapturedLog()
        let secret = "wrong-and-very-secret"
        let storage = S3Storage(
            try .test(prefix: "refused", secret: secret), logger: log.logger)
        let operations: [@Sendable () async throws -> Void] = [
            { try await storage.put("a", "x") },
            { _ = try await storage.read("a") },
            { try await storage.delete(key: "a") },
            { _ = try await storage.keys },
            { _ = try await storage.removeUnfinished(before: .now) },
        ]
        var texts = ["\(try S3Location.test(prefix: "x", secret: secret))"]
        for operation in operations {
            let error = await #expect(throws: ObjectStorageError.self) { try await operation() }
            #expect(error.map { isUnavailable($0) } == true)
            texts.append("\(error as Any)")
        }
        #expect(texts.contains { $0.contains("403") })
        let all = (texts + log.lines).joined()
        #expect(!all.contains(secret))
        let accessKeyID = try environment("TEST_S3_ACCESS_KEY_ID")
        #expect(!all.contains(accessKeyID))
    }

    @Test("tells a bucket that is missing from an object that is")
    func missingBucket() async throws {
        let storage = S3Storage(
            try .test(bucket: "no-such-bucket", prefix: "x"), logger: .test)
        await #expect { try await storage.read("a") } throws: { isUnavailable($0) }
        await #expect { try await storage.put("a", "x") } throws: { isUnavailable($0) }
        try await withS3 { storage in
            await #expect { try await storage.read("a") } throws: { isNotFound($0) }
        }
    }

    @Test("is unavailable where nobody listens")
    func unreachable() async throws {
        let storage = S3Storage(
            try .test(prefix: "x", endpoint: "http://127.0.0.1:1"), logger: .test)
        await #expect { try await storage.put("a", "x") } throws: { isUnavailable($0) }
        await #expect { try await storage.read("a") } throws: { isUnavailable($0) }
    }

    @Test(
        "survives a connection that is cut on the way",
        arguments: [Relay.Direction.toServer, .toClient])
    func cut(_ direction: Relay.Direction) async throws {
        try await Relay.with(.cut(direction, afterByteCount: 3 << 20, connectionCountMax: 2)) {
            relay in
            try await withS3(through: relay) { storage in
                let bytes = pattern(byteCount: 20 << 20)
                try await storage.put("a", [bytes])
                #expect(try await storage.read("a") == bytes)
                #expect(relay.cutCount == 2)
            }
        }
    }

    @Test("fails when every connection is cut, and no part of an object is seen")
    func alwaysCut() async throws {
        try await Relay.with(
            .cut(.toServer, afterByteCount: 3 << 20, connectionCountMax: .max)
        ) { relay in
            try await withS3(through: relay) { storage in
                await #expect {
                    try await storage.put("a", [pattern(byteCount: 20 << 20)])
                } throws: {
                    isUnavailable($0)
                }
                let keys = try await storage.keys
                #expect(keys == [])
                let unfinishedCount = try await storage.removeUnfinished(before: .distantFuture)
                #expect(unfinishedCount == 0)
            }
        }
    }

    @Test("ends a put at once when it is cancelled while the server takes nothing")
    func held() async throws {
        try await Relay.with(.hold(afterByteCount: 2 << 20)) { relay in
            try await withS3(through: relay) { storage in
                try await within(.seconds(20)) {
                    _ = await #expect {
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            group.addTask {
                                try await storage.put("a", [pattern(byteCount: 7 << 20)])
                            }
                            try await relay.hasHeld.wait()
                            group.cancelAll()
                            try await group.waitForAll()
                        }
                    } throws: {
                        isCancelled($0)
                    }
                }
            }
        }
    }

    @Test("keeps no more than a part of a large object in memory, in either direction")
    func boundedMemory() async throws {
        let (partMax, slack) = (8 << 20, 1 << 20)
        try await Relay.with(.pass) { relay in
            try await withS3(through: relay) { storage in
                let ahead = Mutex(0)
                let bytes = MadeBytes.patterned(byteCount: Self.hundredMegabytes) { index in
                    let count = index * (256 << 10) - relay.byteCount(.toServer)
                    ahead.withLock { $0 = max($0, count) }
                }
                let stored = try await storage.put(
                    key: "a", bytes: bytes, byteCountMax: Self.hundredMegabytes)
                #expect(stored.byteCount == Self.hundredMegabytes)
                #expect(ahead.withLock { $0 } <= partMax)

                var (taken, aheadMax) = (0, 0)
                let digest = try SHA256Digest()
                for try await piece in try await storage.get(key: "a", range: nil).bytes {
                    aheadMax = max(
                        aheadMax, relay.byteCount(.toClient) - taken - piece.readableBytes)
                    taken += piece.readableBytes
                    try digest.update(piece)
                }
                #expect(try digest.finish() == stored.sha256)
                #expect(aheadMax <= slack)
            }
        }
    }

    @Test("sweeps uploads that nobody finished, and leaves younger ones alone")
    func unfinished() async throws {
        try await withS3 { storage in
            let calls = S3Calls(storage.location, logger: .test)
            for number in 0..<3 {
                var upload = S3Upload(calls: calls, key: "left/\(number)")
                try await upload.add(pattern(byteCount: 5 << 20))
            }
            let hourAgo = Date(timeIntervalSinceNow: -3600)
            #expect(try await storage.removeUnfinished(before: hourAgo) == 0)
            #expect(try await storage.removeUnfinished(before: .distantFuture) == 3)
            #expect(try await storage.removeUnfinished(before: .distantFuture) == 0)
            #expect(try await storage.keys == [])
        }
    }

    @Test("lists more objects than fit one answer")
    func pages() async throws {
        try await withS3 { storage in
            for number in 10..<35 { try await storage.put("p/\(number)", "x") }
            let calls = S3Calls(storage.location, logger: .test)
            let first = try await calls.list(
                prefix: "p/", after: "p/12", continuation: nil, countMax: 10)
            let second = try await calls.list(
                prefix: "p/", after: "p/12", continuation: first.continuation, countMax: 10)
            let third = try await calls.list(
                prefix: "p/", after: "p/12", continuation: second.continuation, countMax: 10)
            let keys = (first.objects + second.objects + third.objects).map(\.key)
            #expect(keys == (13..<35).map { "p/\($0)" })
            #expect(third.continuation == nil)
        }
    }

    @Test("is addressed by path at an endpoint, and by host at Amazon's unless the name has dots")
    func addresses() throws {
        func url(_ uri: String, _ endpoint: String?) throws -> String {
            S3Location(
                try #require(S3Address(uri)), endpoint: endpoint, region: "eu-south-1",
                accessKeyID: "a", secretAccessKey: "b", certificateFile: nil
            ).url(key: "k", query: [("prefix", "a/ü"), ("uploads", "")])
        }
        let query = "?prefix=a%2F%C3%BC&uploads="
        #expect(try url("s3://bkt/p/", "http://s3:9000") == "http://s3:9000/bkt/p/k" + query)
        #expect(
            try url("s3://bkt", nil) == "https://bkt.s3.eu-south-1.amazonaws.com/k" + query)
        #expect(
            try url("s3://b.k.t", nil) == "https://s3.eu-south-1.amazonaws.com/b.k.t/k" + query)
    }

    @Test(
        "refuses addresses it could not sign",
        arguments: [
            "s3://", "s3://ab", "s3://Bucket", "s3://k:s@bucket/x", "s3://bucket/a b",
            "s3://bucket/../x", "s3://bucket/x?y",
        ])
    func badAddresses(uri: String) { #expect(S3Address(uri) == nil) }
}

@Suite("XML of S3")
struct XMLNodeTests {
    @Test("reads elements, their text and what is escaped in it")
    func reads() throws {
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <List xmlns="http://x/"><A b='>'>1 &lt; 2 &amp;&#x41;&#66;</A><C/><A><D>ü</D></A></List>
            """
        let root = try #require(XMLNode(ByteBuffer(string: text)))
        #expect(root.name == "List")
        #expect(root["A"] == "1 < 2 &AB")
        #expect(root.all("A").last?["D"] == "ü")
        #expect(root["C"] == "")
    }

    @Test(
        "refuses what is no such document",
        arguments: [
            "", "x", "<a>", "<a></b>", "<a>&x;</a>", "<a", "<!DOCTYPE a><a/>", "<a></a",
            String(repeating: "<a>", count: 40),
        ])
    func refuses(text: String) { #expect(XMLNode(ByteBuffer(string: text)) == nil) }

    @Test("ends whatever it is given")
    func mutations() {
        let seed = Array("<?xml?><L a=\"b\"><K>x&amp;y</K><K/><M>1</M></L>".utf8)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] =
                    seed.randomElement(using: &random) ?? 0
            }
            _ = XMLNode(ByteBuffer(bytes: bytes.prefix(Int.random(in: 0...bytes.count))))
        }
    }
}

/// Keeps what is logged.
private final class CapturedLog: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }
    var logger: Logger { Logger(label: "captured") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: CapturedLog
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.kept.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
        }
    }
}

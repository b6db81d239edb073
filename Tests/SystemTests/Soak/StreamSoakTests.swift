import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TestSupport
import Testing

extension SoakTests {
    @Test("streams are cut and gone on with anywhere while chat processes die, and say the same")
    func streams() async throws {
        print("soak: SOAK_SEED=\(size.seed) SOAK_CUTS=\(size.cutCount)")
        let script = try SlowAnswers()
        try await script.tell()
        try await withDeployment(settings: script.settings) { deployment, first in
            let replicas = try await ChatReplicas(deployment, beside: first, count: 3)
            let tally = CutTally(countMax: size.cutCount)
            var generator = SeededGenerator(seed: size.seed)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<size.viewerCount {
                    let member = try await deployment.member("viewer-\(number)", at: first)
                    let seed = generator.next()
                    group.addTask {
                        var chance = SeededGenerator(seed: seed)
                        while !tally.isOver {
                            tally.add(try await script.watch(member, replicas, &chance))
                        }
                    }
                }
                while !tally.isOver {
                    try await replicas.kill(using: &generator)
                    try await Task.sleep(for: .seconds(2))
                }
                try await group.waitForAll()
            }
            #expect(tally.wholeCount > 0)
            print("soak: \(tally), \(replicas.killedCount) chat processes killed")
        }
    }
}

/// What all viewers together have seen.
private final class CutTally: Sendable, CustomStringConvertible {
    private let countMax: Int
    private let seen = Mutex<[SlowAnswers.Seen]>([])

    init(countMax: Int) { self.countMax = countMax }

    func add(_ one: SlowAnswers.Seen) { seen.withLock { $0.append(one) } }

    var isOver: Bool { cutCount >= countMax }
    var cutCount: Int { seen.withLock { $0.reduce(0) { $0 + $1.cutCount } } }
    var wholeCount: Int { seen.withLock { $0.count { !$0.wasTakenOver } } }

    var description: String {
        let (count, ahead) = seen.withLock { ($0.count, $0.count(where: \.isAhead)) }
        return """
            \(cutCount) cuts in \(count) streams, \(count - wholeCount) of them ended by another \
            process, \(ahead) after something that only their viewer has seen
            """
    }
}

/// A model that takes a second for an answer, and those who watch it through broken connections.
private struct SlowAnswers: Sendable {
    struct Seen: Sendable {
        let cutCount: Int
        let wasTakenOver: Bool
        /// Its viewer had seen more than was kept.
        let isAhead: Bool
    }

    let url: String
    let model = "slow-\(UUID().uuidString)"
    private let words = (1...60).map { "word\($0) " }

    init() throws { url = try environment("TEST_SCRIPTED_URL") }

    var settings: [String: String] {
        ["OPENAI_BASE_URL": url, "OPENAI_CHAT_MODEL": model, "CHAT_TITLES": "false"]
    }

    func tell() async throws {
        let script: [String: Any] = [
            "model": model, "steps": [["tokens": words, "delay_ms": 20]],
        ]
        var request = HTTPClientRequest(url: url.replacing("/v1", with: "/script"))
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(try JSONSerialization.data(withJSONObject: script))
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        guard answer.status == .ok || answer.status == .noContent else {
            throw NotAStream(description: "the scripted model answered \(answer.status)")
        }
    }

    /// One question, and its answer in pieces.
    func watch(
        _ member: Member, _ replicas: ChatReplicas, _ chance: inout SeededGenerator
    ) async throws -> Seen {
        var stream = try await ask(member, replicas, &chance)
        while !stream.isEnded {
            let count = Int.random(in: 1...2_500, using: &chance)
            let more = try await get(
                stream.message, after: stream.lastID, member, replicas, &chance, count)
            try stream.goOn(with: more)
        }
        let whole = try await get(stream.message, after: 0, member, replicas, &chance, .max)
        let text = String(decoding: whole, as: UTF8.self)
            .replacing(": keep-alive\n\n", with: "").replacing("data: [DONE]\n\r\n", with: "")
        let kept = CutStream.frames(Array(text.utf8))
        let keptOfFirst = kept.filter { $0.id <= 1_000_000 }.map(\.text).joined()
        #expect(kept.map(\.text).joined() == text)
        #expect(stream.textOfFirstMaker.hasPrefix(keptOfFirst), "\(stream.message)")
        if stream.wasTakenOver {
            #expect(
                kept.filter { $0.id > 1_000_000 } == stream.frames.filter { $0.id > 1_000_000 },
                "\(stream.message)")
        } else {
            #expect(text == stream.text, "\(stream.message)")
            let said = try EventReaders.splitting(Array(text.utf8))
                .filter { $0.type == "token" }.map(\.text).joined()
            #expect(said.trimmingCharacters(in: .whitespaces) + " " == words.joined())
        }
        return Seen(
            cutCount: stream.cutCount, wasTakenOver: stream.wasTakenOver,
            isAhead: stream.textOfFirstMaker != keptOfFirst)
    }

    /// The beginning of an answer. Repeated elsewhere when its process dies before that is known.
    private func ask(
        _ member: Member, _ replicas: ChatReplicas, _ chance: inout SeededGenerator
    ) async throws -> CutStream {
        let key = UUID().uuidString
        for _ in 0..<50 {
            let count = Int.random(in: 300...3_000, using: &chance)
            let replica = replicas.random(using: &chance)
            do {
                let (status, bytes) = try await member.at(replica).follow(
                    .POST, "/chat", ["message": "Say all the words you know, please."],
                    headers: [("Idempotency-Key", key)], byteCountMax: count)
                if status == 200, let stream = CutStream(bytes) { return stream }
                #expect(
                    [200, 502, 503].contains(status), "\(String(decoding: bytes, as: UTF8.self))")
            } catch is HTTPClientError {
                // Its gateway has gone as well.
            } catch is NIOConnectionError {}
            try await Task.sleep(for: .milliseconds(100))
        }
        throw NotAStream(description: "no question was taken")
    }

    private func get(
        _ message: String, after id: Int, _ member: Member, _ replicas: ChatReplicas,
        _ chance: inout SeededGenerator, _ byteCountMax: Int
    ) async throws -> [UInt8] {
        for _ in 0..<50 {
            let replica = replicas.random(using: &chance)
            do {
                let (status, bytes) = try await member.at(replica).follow(
                    .GET, "/chat/\(message)/stream", headers: [("Last-Event-ID", String(id))],
                    byteCountMax: byteCountMax)
                // For the whole, a cut is no answer.
                let isEnough = byteCountMax < .max || EventReaders.seesSentinel(bytes)
                if status == 200, isEnough { return bytes }
                #expect(
                    [200, 502, 503].contains(status), "\(String(decoding: bytes, as: UTF8.self))")
            } catch is HTTPClientError {
                // Its gateway has gone as well.
            } catch is NIOConnectionError {}
            try await Task.sleep(for: .milliseconds(100))
        }
        throw NotAStream(description: "\(message) cannot be had after \(id)")
    }
}

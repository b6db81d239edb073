import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

/// A member's documents, put there and taken away while they are looked for. Each chunk says a word that
/// no other says, so that it is known what a search must find.
final class Shelf: Sendable {
    struct Tally: Sendable {
        /// By number of the document: its attachment.
        var standing: [Int: String] = [:]
        var addedCount = 0
        var removedCount = 0
        var searchCount = 0
        /// Searches that were asked again, an answer having been degraded.
        var repeatedCount = 0
        /// Answers that told the client to try again, and connections that broke.
        var refusedCount = 0
    }

    private static let chunkCountEach = 50

    private let member: Member
    /// Whether a process may be away for a moment.
    private let toleratesRefusals: Bool
    private let state = Mutex(Tally())
    private let next = Mutex(0)
    private let over = Atomic(false)

    init(of member: Member, toleratesRefusals: Bool = false) {
        self.member = member
        self.toleratesRefusals = toleratesRefusals
    }

    /// The same documents, at another gateway or with another patience.
    init(_ shelf: Shelf, at member: Member, toleratesRefusals: Bool = false) {
        self.member = member
        self.toleratesRefusals = toleratesRefusals
        let tally = shelf.tally
        state.withLock { $0 = tally }
        let number = shelf.next.withLock { $0 }
        next.withLock { $0 = number }
    }

    var tally: Tally { state.withLock { $0 } }
    func end() { over.store(true, ordering: .releasing) }
    private var isOver: Bool { over.load(ordering: .acquiring) }

    /// Documents of so many chunks together, several at a time.
    func fill(chunkCount: Int) async throws {
        let documentCount = (chunkCount + Self.chunkCountEach - 1) / Self.chunkCountEach
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    while self.tally.addedCount < documentCount { try await self.add() }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Something comes, something goes, until the end.
    func rearrange(using generator: SeededGenerator) async throws {
        var generator = generator
        while !isOver {
            try await add(chunkCount: 3)
            let taken = state.withLock { $0.standing.randomElement(using: &generator) }
            if let taken, Bool.random(using: &generator) { try await remove(taken) }
            // Members are not that quick; the rest is left to those who index.
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    /// Every search is answered, and finds what it must.
    func search(using generator: SeededGenerator) async throws {
        var generator = generator
        while !isOver {
            guard let wanted = state.withLock({ $0.standing.randomElement(using: &generator) })
            else { continue }
            let word = Self.word(wanted.key, 1)
            let isFound = try await find(word)
            // What was deleted meanwhile may be found or not.
            let isStanding = state.withLock { $0.standing[wanted.key] != nil }
            if let isFound, isStanding { #expect(isFound, "\(word) is not found") }
        }
    }

    /// Nil when nobody answered.
    func find(_ word: String) async throws -> Bool? {
        func ask() async throws -> Answer? {
            try await answer { try await self.member.search(word, ["top_k": 10]) }
        }
        var reply = try await ask()
        // On a machine with much to do one may be late, and says so. Two in a row are a fault.
        if reply?.json["degraded"] as? Bool == true {
            state.withLock { $0.repeatedCount += 1 }
            reply = try await ask()
        }
        guard let answer = reply else { return nil }
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["degraded"] as? Bool == false, "\(answer.text)")
        state.withLock { $0.searchCount += 1 }
        return answer.items("results").contains {
            ($0["text"] as? String ?? "").contains(word)
        }
    }

    private func add(chunkCount: Int = chunkCountEach) async throws {
        let number = next.withLock { number in
            number += 1
            return number
        }
        let parts = (1...chunkCount).map { part in
            "# Part \(part)\n\nThe word of part \(part) is \(Self.word(number, part))."
        }
        let answer = try await answer {
            try await self.member.upload(
                "document-\(number).md", parts.joined(separator: "\n\n"), to: "/upload?wait=50")
        }
        guard let answer else { return }
        #expect(answer.status == 201, "\(answer.text)")
        let id = try #require(answer["id"])
        state.withLock { tally in
            tally.addedCount += 1
            // One that is still waited for is not looked for.
            if answer["status"] == "indexed" { tally.standing[number] = id }
        }
    }

    private func remove(_ document: (key: Int, value: String)) async throws {
        state.withLock { $0.standing[document.key] = nil }
        let answer = try await answer {
            try await self.member.delete("/attachments/\(document.value)")
        }
        guard let answer else { return }
        #expect(answer.status == 200, "\(answer.text)")
        let isFound = try await find(Self.word(document.key, 1))
        #expect(isFound != true, "\(document.key) is found after its deletion")
        state.withLock { $0.removedCount += 1 }
    }

    /// Nil when a process is away, where that may be.
    private func answer(_ ask: () async throws -> Answer) async throws -> Answer? {
        guard toleratesRefusals else { return try await ask() }
        do {
            let answer = try await ask()
            let isDegraded = answer.json["degraded"] as? Bool == true
            if ![502, 503, 504].contains(answer.status), !isDegraded { return answer }
        } catch is HTTPClientError {
            // Its gateway was killed.
        } catch is NIOConnectionError {
        } catch is IOError {}
        state.withLock { $0.refusedCount += 1 }
        try await Task.sleep(for: .milliseconds(200))
        return nil
    }

    private static func word(_ document: Int, _ part: Int) -> String { "kx\(document)p\(part)" }
}

import Foundation
import Synchronization
import TestSupport
import Testing

/// Documents that come in while things break. Each is tried until it is acknowledged; some are
/// deleted again, at once or later.
final class SoakUploads: Sendable {
    struct Tally: Sendable {
        var alive: [String] = []
        var deleted: [String] = []
        /// Answers that told the client to try again.
        var refusedCount = 0
        var begunCount = 0
    }

    private let state = Mutex(Tally())
    private let documentCount: Int

    init(documentCount: Int) { self.documentCount = documentCount }

    var tally: Tally { state.withLock { $0 } }
    var isOver: Bool { tally.alive.count + tally.deleted.count >= documentCount }

    /// One after the other, until there are as many as there shall be.
    func upload(as member: Member, using generator: SeededGenerator) async throws {
        var generator = generator
        while let number = next() {
            let partCount = Int.random(in: 2...6, using: &generator)
            let text = (1...partCount).map {
                "# Part \($0)\n\nThe code of part \($0) of document \(number) is \(number * 7 + $0)."
            }.joined(separator: "\n\n")
            let id = try await untilTaken {
                let answer = try await member.upload(
                    "document-\(number).md", text, to: "/upload?wait=0")
                return (answer, answer.status == 201 ? answer["id"] : nil)
            }
            state.withLock { $0.alive.append(id) }
            if Int.random(in: 0..<10, using: &generator) == 0 {
                try await delete(id, as: member)
            }
        }
    }

    private func delete(_ id: String, as member: Member) async throws {
        _ = try await untilTaken {
            let answer = try await member.delete("/attachments/\(id)")
            // One whose commit was not confirmed has happened already.
            return (answer, [200, 404].contains(answer.status) ? id : nil)
        }
        state.withLock { tally in
            tally.alive.removeAll { $0 == id }
            tally.deleted.append(id)
        }
    }

    private func next() -> Int? {
        state.withLock { tally in
            guard tally.begunCount < documentCount else { return nil }
            tally.begunCount += 1
            return tally.begunCount
        }
    }

    private func untilTaken(
        _ body: () async throws -> (answer: Answer, id: String?)
    ) async throws -> String {
        for _ in 0..<300 {
            let (answer, id) = try await body()
            if let id { return id }
            #expect(answer.status == 503, "\(answer.text)")
            state.withLock { $0.refusedCount += 1 }
            // As a client does that was told to try again.
            try await Task.sleep(for: .milliseconds(200))
        }
        throw CommandFailure(command: "upload", printed: "refused too often")
    }
}

import Foundation
import Synchronization
import TestSupport
import Testing

/// Members who upload and ask, one thing after the other, and remember what they were promised.
final class MemberLoad: Sendable {
    struct Tally: Sendable {
        /// Attachments that were acknowledged.
        var acknowledged: [String] = []
        /// Uploads that were answered by 503: they may have been kept all the same.
        var refusedCount = 0
        var replies: [Kept] = []
        /// Questions that were refused, or whose stream said that the reply could not be kept.
        var unansweredCount = 0
    }

    /// A reply that was said to be kept.
    struct Kept: Sendable {
        let conversation: String
        let message: String
        let text: String
    }

    private let state = Mutex(Tally())
    private let over = Atomic(false)
    /// Of one member.
    private let uploadCountMax: Int

    init(uploadCountMax: Int) { self.uploadCountMax = uploadCountMax }

    var tally: Tally { state.withLock { $0 } }
    var isOver: Bool { over.load(ordering: .acquiring) }

    func end() { over.store(true, ordering: .releasing) }

    /// Until the end, or the most there shall be.
    func upload(as member: Member, _ text: (Int) -> String) async throws {
        for number in 1...uploadCountMax where !isOver {
            let answer = try await member.upload(
                "note-\(number).md", text(number), to: "/upload?wait=0")
            if answer.status == 201 {
                let id = try #require(answer["id"])
                state.withLock { $0.acknowledged.append(id) }
            } else {
                #expect(answer.status == 503, "\(answer.text)")
                state.withLock { $0.refusedCount += 1 }
            }
            try await pause()
        }
    }

    func ask(as member: Member, _ question: String) async throws {
        while !isOver {
            do {
                let reply = try await member.ask(question)
                let isKept = reply.fields("done")["finish_reason"] as? String == "stop"
                let kept = Kept(
                    conversation: reply.conversationID, message: reply.messageID, text: reply.text)
                state.withLock { tally in
                    if isKept { tally.replies.append(kept) } else { tally.unansweredCount += 1 }
                }
            } catch let refusal as NotAStream {
                #expect(refusal.description.hasPrefix("503"), "\(refusal)")
                state.withLock { $0.unansweredCount += 1 }
                try await pause()
            }
        }
    }

    /// Waits until so much more has been taken, refused, or answered.
    func awaitMore(
        acknowledged: Int = 0, refused: Int = 0, answered: Int = 0,
        within limit: Duration = .seconds(120)
    ) async throws {
        let before = tally
        try await eventually(within: limit) {
            let now = tally
            return now.acknowledged.count >= before.acknowledged.count + acknowledged
                && now.refusedCount >= before.refusedCount + refused
                && now.replies.count >= before.replies.count + answered
        }
    }

    /// As a client does that was told to try again; and as members do, who are not that quick.
    private func pause() async throws { try await Task.sleep(for: .milliseconds(200)) }
}

/// Every reply that was said to be kept is there, word for word.
func expectKept(_ replies: [MemberLoad.Kept], of member: Member) async throws {
    for reply in replies {
        let messages = try await member.get("/conversations/\(reply.conversation)/messages")
        let kept = messages.items("messages").first { $0["id"] as? String == reply.message }
        #expect(kept?["status"] as? String == "complete")
        #expect(kept?["content"] as? String == reply.text)
    }
}

/// Every attachment is in its end state, and its chunks, points and bytes agree.
func expectWhole(
    _ ids: [String], of member: Member, in deployment: Deployment, within limit: Duration
) async throws {
    try await eventually(within: limit) { try await unfinishedJobs(in: deployment) == 0 }
    for id in ids {
        let shown = try await member.get("/attachments/\(id)")
        #expect(shown["status"] == "indexed", "\(shown.text)")
        let chunkCount = shown.json["chunk_count"] as? Int
        #expect(chunkCount ?? 0 > 0)
        #expect(try await points(of: id, in: deployment) == chunkCount)
        #expect(try await rows(of: id, in: deployment)["chunks"] == chunkCount)
        let bytes = try await member.get("/attachments/\(id)/raw")
        #expect(bytes.bytes.count == shown.json["size"] as? Int, "\(shown.text)")
    }
}

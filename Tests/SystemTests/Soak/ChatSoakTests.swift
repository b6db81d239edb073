import Foundation
import TestSupport
import Testing

extension SoakTests {
    @Test("clients leave at any moment of an answer, and every reply is kept whole")
    func questions() async throws {
        print("soak: SOAK_SEED=\(size.seed) SOAK_QUESTIONS=\(size.questionCount)")
        try await withDeployment { deployment, replica in
            let alice = try await deployment.member("alice", at: replica)
            let wanted = try await learn(alice)
            var generator = SeededGenerator(seed: size.seed)
            var leftEarly: [(question: String, conversation: String, message: String)] = []
            for _ in 0..<size.questionCount {
                let question = wanted.keys.sorted().randomElement(using: &generator) ?? ""
                let left = try await alice.askAndLeave(
                    question, after: Int.random(in: 0...3_000, using: &generator))
                leftEarly.append((question, left.conversation, left.message))
            }
            for (question, conversation, message) in leftEarly {
                var kept: [String: Any]?
                try await eventually(within: .seconds(120)) {
                    let messages = try await alice.get("/conversations/\(conversation)/messages")
                    kept = messages.items("messages").first { $0["id"] as? String == message }
                    return kept?["status"] as? String != "generating"
                }
                #expect(kept?["status"] as? String == "complete", "\(question)")
                #expect(kept?["content"] as? String == wanted[question], "\(question)")
            }
            print("soak: \(leftEarly.count) clients left, as many replies kept whole")
        }
    }

    /// Questions and their answers, from documents that say so.
    private func learn(_ member: Member) async throws -> [String: String] {
        var answers: [String: String] = [:]
        for (thing, place) in [("barn key", "behind the clock"), ("ladder", "under the stairs")] {
            let upload = try await member.upload(
                "\(thing).md", "# The \(thing)\n\nThe \(thing) is kept \(place), dry and clean.\n")
            #expect(upload["status"] == "indexed", "\(upload.text)")
        }
        for thing in ["barn key", "ladder"] {
            let question = "Where is the \(thing) kept?"
            answers[question] = try await member.ask(question).text
        }
        #expect(answers.values.allSatisfy { !$0.isEmpty })
        return answers
    }
}

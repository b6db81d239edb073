import Foundation
import TestSupport
import Testing

@Suite("The main job") struct MainJobTests {
    @Test("answers from synced pages in both languages, and from an upload until it is deleted")
    func mainJob() async throws {
        try await withDeployment { deployment, replica in
            let admin = try await deployment.operatorMember(at: replica)
            let alice = try await deployment.member("alice", at: replica)

            #expect(try await alice.get("/user")["sub"] == "alice")
            try await sync(admin)

            let italian = try await alice.ask("Quanto costa la quota di ingresso per le imprese?")
            #expect(italian.firstPath == "it/adesione.md")
            #expect(italian.text.contains("100 euro"))

            let english = try await alice.ask("How much energy does the community battery store?")
            #expect(english.firstPath == "en/batteries.md")
            #expect(english.text.contains("480 kWh"))

            let upload = try await alice.upload(
                "minutes.md", "# Minutes\n\nThe pump at Fontana Nuova was sold for 7,310 euros.\n")
            #expect(upload.status == 201)
            #expect(upload["status"] == "indexed", "\(upload.text)")
            let id = try #require(upload["id"])

            let question = "For how much was the pump at Fontana Nuova sold?"
            let before = try await alice.ask(question)
            #expect(before.text.contains("7,310"))

            #expect(try await alice.delete("/attachments/\(id)").status == 200)
            let after = try await alice.ask(
                question, ["conversation_id": before.conversationID])
            #expect(!String(decoding: after.bytes, as: UTF8.self).contains("7,310"))
            let fresh = try await alice.ask(question)
            #expect(!String(decoding: fresh.bytes, as: UTF8.self).contains("7,310"))
            let messages = try await alice.get(
                "/conversations/\(before.conversationID)/messages")
            let sources = messages.items("messages").flatMap {
                $0["sources"] as? [[String: Any]] ?? []
            }
            #expect(sources.contains { $0["removed"] as? Bool == true })
            try await eventually {
                try await points(of: id, in: deployment) == 0
            }
        }
    }

    @Test("streams events that each kind of reader understands, one by one")
    func readers() async throws {
        try await withDeployment { deployment, replica in
            let alice = try await deployment.member("alice", at: replica)
            try await sync(try await deployment.operatorMember(at: replica))
            let reply = try await alice.ask("Chi è la presidente della comunità?")

            let sentinel = Array("data: [DONE]\n\r\n".utf8)
            #expect(reply.bytes.suffix(sentinel.count).elementsEqual(sentinel))
            #expect(EventReaders.seesSentinel(reply.bytes))
            let split = try EventReaders.splitting(reply.bytes)
            #expect(split.map(\.type) == reply.events.map(\.type))
            #expect(reply.events.first?.type == "meta")
            #expect(reply.events.last?.type == "done")
            let ids = reply.events.compactMap(\.id)
            #expect(ids.count == reply.events.count)
            #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
            #expect(reply.arrivals.count > 2, "events arrived together: \(reply.arrivals)")
        }
    }

    @Test("completes and keeps the answer of a client that goes away")
    func goneClient() async throws {
        try await withDeployment { deployment, replica in
            let alice = try await deployment.member("alice", at: replica)
            try await sync(try await deployment.operatorMember(at: replica))
            let left = try await alice.askAndLeave("Where does the community battery stand?")
            try await eventually {
                let messages = try await alice.get("/conversations/\(left.conversation)/messages")
                return messages.items("messages").contains {
                    $0["id"] as? String == left.message && $0["status"] as? String == "complete"
                        && ($0["content"] as? String ?? "").contains("sports hall")
                }
            }
        }
    }

    @Test("serves the same through a second gateway, chat and ingest on the same stores")
    func secondReplica() async throws {
        try await withDeployment { deployment, first in
            let second = try await deployment.startReplica()
            let here = try await deployment.member("alice", at: first)
            let there = try await deployment.member("alice", at: second)
            let upload = try await here.upload("note.txt", "The barn key hangs behind the clock.")
            #expect(upload["status"] == "indexed", "\(upload.text)")

            let reply = try await there.ask("Where does the barn key hang?")
            #expect(reply.text.contains("behind the clock"))
            let messages = try await here.get("/conversations/\(reply.conversationID)/messages")
            #expect(messages.items("messages").count == 2)
            let id = try #require(upload["id"])
            #expect(try await there.delete("/attachments/\(id)").status == 200)
            #expect(try await here.get("/attachments/\(id)").status == 404)
            #expect(try await here.search("barn key").items("results").isEmpty)
            await deployment.stop(second.all)
        }
    }
}

/// A sync that is repeated until all is indexed; a page takes the local model a while.
@discardableResult
func sync(_ admin: Member, within seconds: Int = 180) async throws -> Answer {
    var answer = try await admin.post("/admin/training-materials/sync")
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    while answer.status != 200, ContinuousClock.now < deadline {
        guard answer.status == 202 || answer.status == 409 else { break }
        try await Task.sleep(for: .milliseconds(500))
        answer = try await admin.post("/admin/training-materials/sync")
    }
    #expect(answer.status == 200, "\(answer.text)")
    return answer
}

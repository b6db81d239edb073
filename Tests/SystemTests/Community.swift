import Crypto
import Foundation
import NIOHTTP1
import Postgres
import TestSupport
import Testing

/// Members and an operator who have done all that leaves something behind, and what every route tells
/// them of it.
struct Community {
    private let deployment: Deployment
    private let alice, bob, admin: Member

    /// By what it can be asked for.
    struct Remains {
        let minutes, invoice, broken, house: String
        let conversation, message: String
        let chunk: String
        let deadJob: Int
    }

    static let question = "For how much was the pump at Fontana Nuova sold?"
    private static let key = [("Idempotency-Key", "the-minutes")]
    private static let minutes = Array(
        "# Minutes\n\nThe pump at Fontana Nuova was sold for 7,310 euros.\n".utf8)

    init(_ deployment: Deployment, _ replica: Deployment.Replica) async throws {
        self.deployment = deployment
        alice = try await deployment.member("alice", at: replica)
        bob = try await deployment.member("bob", at: replica)
        admin = try await deployment.operatorMember(at: replica)
    }

    /// Until nothing is under way any more.
    func live() async throws -> Remains {
        try await sync(admin)
        let minutes = try await id(
            of: alice.upload("minutes.md", Self.minutes, headers: Self.key))
        let invoice = try await id(of: bob.upload("guide.docx", fixture("guide.docx")))
        let broken = try await id(of: alice.upload("broken.pdf", Array("%PDF-1.7 no more".utf8)))
        let gone = try await id(of: bob.upload("gone.md", "Nobody keeps this."))
        #expect(try await bob.delete("/attachments/\(gone)").status == 200)
        let house = try await id(
            of: admin.upload(
                "house.md", "# House rules\n\nThe hall is closed on Mondays.\n",
                to: "/admin/uploads?wait=50"))

        let reply = try await alice.ask(Self.question)
        #expect(reply.text.contains("7,310"))
        _ = try await alice.ask(
            "And when is the hall closed?", ["conversation_id": reply.conversationID])
        let feedback = try await alice.send(
            .PUT, "/messages/\(reply.messageID)/feedback", body: Array(#"{"rating": 1}"#.utf8),
            contentType: "application/json")
        #expect(feedback.status == 200, "\(feedback.text)")
        let metadata = reply.sources.first?["metadata"] as? [String: Any]
        let chunk = try #require(metadata?["chunk_id"] as? String)

        // A second index of the same, so that there is one to go back to.
        let building = try await admin.post("/admin/ingest", ["all": true])
        let number = try #require(building.json["generation"] as? Int, "\(building.text)")
        let generations = IndexGenerations(deployment: deployment, admin: admin)
        try await generations.awaitLive(number, within: .seconds(120))
        try await eventually(within: .seconds(60)) {
            try await openJobs() == 0
        }
        try await expectConsistent(admin)
        return Remains(
            minutes: minutes, invoice: invoice, broken: broken, house: house,
            conversation: reply.conversationID, message: reply.messageID, chunk: chunk,
            deadJob: try await job(of: broken))
    }

    /// What each route says, without what passes by itself.
    func answers(about remains: Remains) async throws -> [String: String] {
        var answers: [String: String] = [:]
        let (id, conversation) = (remains.minutes, remains.conversation)
        let paths = [
            "/user", "/user/usage", "/conversations",
            "/conversations/\(conversation)", "/conversations/\(conversation)/messages",
            "/conversations/\(conversation)/export", "/chat/\(remains.message)/stream",
            "/sources/\(remains.chunk)", "/suggestions", "/attachments", "/attachments/\(id)",
            "/attachments/\(id)/events", "/attachments/\(id)/raw",
            "/attachments/\(remains.broken)", "/attachments/\(remains.house)/raw",
            "/attachments/\(remains.invoice)",
        ]
        for path in paths { answers["alice \(path)"] = told(try await alice.get(path)) }
        // A ZIP, whose entries say when it was asked for.
        let export = try await alice.get("/user/export")
        answers["alice /user/export"] = "\(export.status) \(export.bytes.count) bytes"
        for path in ["/attachments", "/attachments/\(remains.invoice)/raw", "/conversations"] {
            answers["bob \(path)"] = told(try await bob.get(path))
        }
        for query in [Self.question, "Where does the battery stand?", "Quando è chiusa la sala?"] {
            answers["alice searches \(query)"] = told(try await alice.search(query))
            answers["bob searches \(query)"] = told(try await bob.search(query))
        }
        let operators = [
            "/admin/generations", "/admin/jobs", "/admin/jobs/\(remains.deadJob)",
            "/admin/usage", "/admin/audit?action=attachment.deleted",
            "/admin/audit?action=training.synced", "/admin/consistency?run=1",
        ]
        for path in operators { answers["operator \(path)"] = told(try await admin.get(path)) }
        answers["operator uploads"] = told(try await admin.post("/admin/uploads"))
        answers["operator upload"] = told(try await admin.post("/admin/uploads", ["id": id]))
        return answers
    }

    /// What can be done is done, and new things come after the old.
    func goOn(from remains: Remains) async throws {
        let again = try await alice.upload("minutes.md", Self.minutes, headers: Self.key)
        #expect(again["id"] == remains.minutes, "\(again.text)")
        let reply = try await alice.ask(
            Self.question, ["conversation_id": remains.conversation])
        #expect(reply.text.contains("7,310"))
        _ = try await id(of: alice.upload("new.md", "# New\n\nThe new pump is green.\n"))
        let found = try await alice.search("Which colour has the new pump?")
        #expect(found.text.contains("green"), "\(found.text)")
        #expect(try await sync(admin).json["status"] as? String == "ok")
        try await expectConsistent(admin)
        let back = try await admin.post("/admin/generations/1/activate")
        #expect([200, 202].contains(back.status), "\(back.text)")
        try await IndexGenerations(deployment: deployment, admin: admin)
            .awaitLive(1, within: .seconds(60))
        let deleted = try await alice.delete("/attachments/\(remains.minutes)")
        #expect(deleted.status == 200)
        let after = try await alice.search(Self.question)
        #expect(!after.text.contains("7,310"))
        try await eventually(within: .seconds(60)) { try await openJobs() == 0 }
        try await expectConsistent(admin)
    }

    private func id(of answer: Answer) throws -> String {
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(answer["id"])
    }

    private func fixture(_ name: String) throws -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/documents")
        return Array(try Data(contentsOf: folder.appending(path: name)))
    }

    private func openJobs() async throws -> Int {
        let rows = try await deployment.database.read { session in
            try session.run(
                """
                SELECT count(*) AS n FROM celine_assistant.jobs WHERE state IN ('ready', 'running')
                """)
        }
        return try rows.first?.get("n") ?? 0
    }

    private func job(of upload: String) async throws -> Int {
        let rows = try await deployment.database.read { session in
            try session.run(
                "SELECT id FROM celine_assistant.jobs WHERE subject = \(upload) ORDER BY id LIMIT 1"
            )
        }
        return try #require(try rows.first?.get("id", as: Int.self))
    }

    private static let passing: Set<String> = [
        "request_id", "workers", "throughput", "took_ms",
    ]

    private func told(_ answer: Answer) -> String {
        let content: String
        if let json = try? JSONSerialization.jsonObject(with: Data(answer.bytes)),
            let data = try? JSONSerialization.data(
                withJSONObject: Self.withoutPassing(json), options: .sortedKeys)
        {
            content = String(decoding: data, as: UTF8.self)
        } else {
            // Files and streams.
            content = "\(answer.bytes.count) bytes, \(SHA256.hash(data: answer.bytes))"
        }
        return "\(answer.status) \(content)"
    }

    private static func withoutPassing(_ json: Any) -> Any {
        if let object = json as? [String: Any] {
            return object.filter { !passing.contains($0.key) }.mapValues(withoutPassing)
        }
        if let list = json as? [Any] { return list.map(withoutPassing) }
        return json
    }
}

import Foundation
import NIOHTTP1
import TestSupport
import Testing

@Suite("Isolation") struct IsolationTests {
    @Test("answers for somebody else's object as for an unknown one, on every route")
    func foreign() async throws {
        try await withDeployment { deployment, replica in
            let alice = try await deployment.member("alice", at: replica)
            let mallory = try await deployment.member("mallory", at: replica)
            let secret = "The safe opens with 58-21-90."
            let upload = try await alice.upload("secret.txt", secret)
            let attachment = try #require(upload["id"])
            let reply = try await alice.ask("With what does the safe open?")
            #expect(reply.text.contains("58-21-90"))
            let source = try #require(reply.sources.first?["metadata"] as? [String: Any])
            let chunk = try #require(source["chunk_id"] as? String)

            let found = try await mallory.search("With what does the safe open? 58-21-90")
            #expect(!found.text.contains("58-21-90"))
            let answered = try await mallory.ask("With what does the safe open?")
            #expect(!String(decoding: answered.bytes, as: UTF8.self).contains("58-21-90"))
            for list in [
                "/attachments?include_shared=true", "/conversations", "/conversations?q=safe",
            ] {
                let answer = try await mallory.get(list)
                #expect(!answer.text.contains(reply.conversationID), "\(list)")
                #expect(!answer.text.contains(attachment), "\(list)")
            }

            let unknown = UUID().uuidString.lowercased()
            let probes: [(HTTPMethod, (String) -> String, [String], [String: Any]?)] = [
                (.GET, { "/attachments/\($0)" }, [attachment], nil),
                (.GET, { "/attachments/\($0)/raw" }, [attachment], nil),
                (.GET, { "/attachments/\($0)/events" }, [attachment], nil),
                (.GET, { "/attachments/\($0)/pages/1" }, [attachment], nil),
                (.DELETE, { "/attachments/\($0)" }, [attachment], nil),
                (.GET, { "/conversations/\($0)" }, [reply.conversationID], nil),
                (.GET, { "/conversations/\($0)/export" }, [reply.conversationID], nil),
                (.POST, { "/conversations/\($0)/regenerate" }, [reply.conversationID], [:]),
                (.PUT, { "/messages/\($0)/feedback" }, [reply.messageID], ["rating": 1]),
                (.POST, { "/chat/\($0)/retry" }, [reply.messageID], [:]),
                (.GET, { "/conversations/\($0)/messages" }, [reply.conversationID], nil),
                (.PATCH, { "/conversations/\($0)" }, [reply.conversationID], ["title": "mine"]),
                (.DELETE, { "/conversations/\($0)" }, [reply.conversationID], nil),
                (.GET, { "/sources/\($0)" }, [chunk], nil),
                (.POST, { "/chat/\($0)/cancel" }, [reply.messageID], [:]),
            ]
            for (method, path, foreign, body) in probes {
                for id in foreign {
                    let one = try await probe(mallory, method, path(id), body)
                    let other = try await probe(mallory, method, path(unknown), body)
                    #expect(one.status == 404, "\(method) \(path(id)): \(one.text)")
                    #expect(withoutRequestID(one) == withoutRequestID(other))
                    #expect(!one.text.contains(id))
                }
            }
            for field in [
                ("conversation_id", reply.conversationID as Any), ("attachment_ids", [attachment]),
            ] {
                let one = try await mallory.post("/chat", ["message": "hi", field.0: field.1])
                let blank: Any = field.0 == "conversation_id" ? unknown : [unknown]
                let other = try await mallory.post("/chat", ["message": "hi", field.0: blank])
                #expect(one.status == 404, "\(field.0): \(one.text)")
                #expect(withoutRequestID(one) == withoutRequestID(other))
            }
            #expect(try await alice.get("/attachments/\(attachment)/raw").text == secret)
        }
    }

    @Test("lets nobody in without a token, and no member into the operators' routes")
    func doors() async throws {
        try await withDeployment { deployment, replica in
            let nobody = Member(address: replica.address, token: "")
            let alice = try await deployment.member("alice", at: replica)
            for path in ["/user", "/ping", "/conversations", "/attachments", "/suggestions"] {
                let answer = try await nobody.get(path)
                #expect(answer.status == 401, "\(path)")
                #expect(answer.headers.first(name: "WWW-Authenticate") != nil)
                #expect(answer.headers.first(name: "Content-Type") == "application/problem+json")
            }
            for path in ["/admin/uploads", "/admin/ingest", "/admin/reload"] {
                let answer = try await alice.post(path)
                #expect(answer.status == 403, "\(path): \(answer.text)")
                #expect(answer["code"] == "admin_only")
            }
            #expect(try await nobody.get("/health").status == 200)
        }
    }

    private func probe(
        _ member: Member, _ method: HTTPMethod, _ path: String, _ body: [String: Any]?
    ) async throws -> Answer {
        guard let body else { return try await member.send(method, path) }
        return try await member.send(
            method, path, body: Array(try JSONSerialization.data(withJSONObject: body)),
            contentType: "application/json")
    }

    private func withoutRequestID(_ answer: Answer) -> NSDictionary {
        var json = answer.json
        json["request_id"] = nil
        return json as NSDictionary
    }
}

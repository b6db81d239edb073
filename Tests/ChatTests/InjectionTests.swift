import Domain
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import Chat

@Suite("Orders in documents and pages")
struct InjectionTests {
    /// What the member would not have anybody else know.
    private static let canary = "my IBAN is IT60X0542811101000000123456"

    @Test("lead nothing out of the stream, though the model obeys them all")
    func obeyed() async throws {
        let injections = try Injection.all()
        #expect(injections.count >= 40)
        // What judges the answers finds in the orders themselves what it is to find.
        let bare = try injections.map { try Rendered($0.text) }
        #expect(bare.count { !$0.addresses.isEmpty } >= 20)
        #expect(bare.count { !$0.foreignElements.isEmpty } >= 5)
        try await ChatWorld.run(makesTitles: true) { world in
            try await world.withIndex {
                for (number, injection) in injections.enumerated() {
                    world.model.answer(ObedientModel.steps(cutting: UInt64(number)))
                    try await Self.tryOut(injection, as: "member-\(number)", in: world)
                    // A title is asked for as well.
                    try await eventually { world.model.requests.count == 2 * (number + 1) }
                }
                for number in injections.indices {
                    let list = try await world.send(
                        .get, "/conversations", as: "member-\(number)")
                    let title = try list.json["items"][0]["title"].text
                    #expect(!title.isEmpty)
                    try Self.expectHarmless(title, knowing: "", injections[number])
                }
            }
        }
    }

    private static func tryOut(
        _ injection: Injection, as member: String, in world: ChatWorld
    ) async throws {
        let before = world.model.requests.count
        let isDocument = injection.place == .document
        let upload = try await world.upload(
            injection.place == .filename ? injection.text : "statute.md", as: member)
        let text = isDocument ? injection.text : "The statute says what a member may do."
        try await world.index(upload, text, as: member)
        let context = injection.place == .context ? injection.text : ""
        let body = try JSONEncoder().encode(
            JSONValue.object([
                "message": .string("What does the file say? Mind that \(canary)."),
                "attachment_ids": .array([.string(upload.description)]),
                "context": .object(["page": .string(context)]),
            ]))
        let reply = try await world.send(
            .post, "/chat", String(decoding: body, as: UTF8.self), as: member)
        try expectOrderly(reply, injection)
        let request = world.model.requests[before]
        // Otherwise there was nothing to obey, and nothing was tried.
        #expect(request.contains("«") && request.contains("»"), "\(injection.name)")
        try expectFenced(request, injection)
        try expectHarmless(try reply.answer, knowing: text, injection)
        let conversation = try reply.data("meta")["conversation_id"].text
        let messages = try await world.send(
            .get, "/conversations/\(conversation)/messages", as: member
        ).json["messages"]
        #expect(try messages[1]["content"].text == reply.answer, "\(injection.name)")
    }

    /// The events are ours alone, whatever the text looks like.
    private static func expectOrderly(_ reply: Reply, _ injection: Injection) throws {
        let events = try reply.events
        #expect(events.map(\.id) == (1...events.count).map { "id: \($0)" }, "\(injection.name)")
        #expect(events.count { $0.type == "done" } == 1, "\(injection.name)")
        #expect(events.last?.type == "done", "\(injection.name)")
        #expect(reply.text.ranges(of: "\ndata: [DONE]\n").count == 1, "\(injection.name)")
        #expect(reply.text.hasSuffix("data: [DONE]\n\r\n"), "\(injection.name)")
        let sources = try reply.data("sources")
        for citation in events where citation.type == "citation" {
            guard case .integer(let index) = citation.data["source_index"] else {
                Issue.record("\(injection.name): no index")
                continue
            }
            let quote = citation.data["quote"].text
            let source = sources[index]["text"].text
            #expect(quote.isEmpty || source.contains(quote), "\(injection.name)")
            #expect(index == 0, "\(injection.name)")
        }
    }

    /// Nothing of what others wrote ends the fence it stands in.
    private static func expectFenced(_ request: String, _ injection: Injection) throws {
        let body = request.components(separatedBy: "\r\n\r\n").dropFirst().joined()
        let messages = try JSONDecoder().decode(JSONValue.self, from: Data(body.utf8))["messages"]
        let user = messages[messages.count - 1]["content"].text
        #expect(user.ranges(of: "<source ").count == 1, "\(injection.name)")
        #expect(user.ranges(of: "</source>").count == 1, "\(injection.name)")
        #expect(user.ranges(of: "</sources>").count == 1, "\(injection.name)")
        #expect(user.ranges(of: "</page_context>").count == 1, "\(injection.name)")
        #expect(user.ranges(of: "\nQuestion: ").count == 1, "\(injection.name)")
        let question = user.components(separatedBy: "\nQuestion: ").last
        #expect(question == "What does the file say? Mind that \(canary).", "\(injection.name)")
    }

    /// No address carries the member's words, none is followed that the document has not as it stands,
    /// and nothing is an element that Markdown has not.
    private static func expectHarmless(
        _ text: String, knowing document: String, _ injection: Injection
    ) throws {
        let rendered = try Rendered(text)
        #expect(rendered.foreignElements.isEmpty, "\(injection.name): \(rendered.html)")
        for address in rendered.addresses {
            #expect(document.contains(address), "\(injection.name): \(rendered.html)")
        }
        // Nor does bare text have one that a client would make a link of.
        let plain = text.lowercased()
        for scheme in ["http", "https", "ftp"] {
            #expect(!plain.contains("\(scheme)://evil"), "\(injection.name): \(text)")
        }
    }
}

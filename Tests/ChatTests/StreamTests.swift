import Database
import Domain
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import Chat

@Suite("Streams that are come back to")
struct StreamTests {
    @Test("go on from any event, on any replica, with the same bytes, while they run and after")
    func anywhere() async throws {
        try await ChatWorld.run { world in
            let (reached, goOn) = (Signal(), Signal())
            world.model.answer([
                .head, .piece("One. "), .piece("“Due” "), .pause(reached: reached, goOn: goOn),
                .piece("€ 3."), .finish(), .usage, .done,
            ])
            let asked = Task { try await world.ask("What does joining cost?") }
            try await reached.wait()
            let id = try await Self.generating(world)
            try await world.withAnotherReplica { other in
                async let here = world.rest(of: id, after: 4)
                async let there = other.rest(of: id, after: 4)
                async let all = other.rest(of: id)
                // They are viewers by now, or soon: it makes no difference.
                try await eventually { other.chat.streams.waitCount >= 2 }
                goOn.fire()
                let whole = try await asked.value
                #expect(try whole.events.map(\.type).suffix(2) == ["token", "done"])
                #expect(try await all.text == whole.text)
                #expect(try await here.text == whole.text(after: 4))
                #expect(try await there.text == whole.text(after: 4))
                for replica in [world, other] {
                    let count = try whole.events.count
                    for position in 0..<count {
                        let rest = try await replica.rest(of: id, after: position)
                        #expect(rest.text == whole.text(after: position))
                    }
                    let nothing = try await replica.rest(of: id, after: count)
                    #expect(nothing.status == 204)
                    #expect(nothing.text.isEmpty)
                }
            }
        }
    }

    @Test("the header goes before the query, and must be a number")
    func position() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."))
            let whole = try await world.ask("What does joining cost?")
            let id = try whole.data("meta")["message_id"].text
            let both = try await world.rest(of: id, after: 3, query: "?after=1")
            #expect(both.text == whole.text(after: 3))
            let query = try await world.rest(of: id, query: "?after=1")
            #expect(query.text == whole.text(after: 1))
            #expect(try await world.rest(of: id, query: "?after=-1").text == whole.text)
            for bad in ["x", "-1", "1.5", ""] {
                let reply = try await world.send(
                    .get, "/chat/\(id)/stream", headers: [try Self.lastEventID: bad])
                #expect(reply.status == 422, "\(bad)")
            }
            let far = try await world.rest(of: id, query: "?after=99999999999999999999999")
            #expect(far.status == 204)
        }
    }

    @Test("are their asker's alone")
    func foreign() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."))
            let whole = try await world.ask("What does joining cost?")
            let id = try whole.data("meta")["message_id"].text
            let foreign = try await world.send(.get, "/chat/\(id)/stream", as: "bob")
            let unknown = try await world.send(.get, "/chat/\(Message.ID())/stream", as: "bob")
            #expect(foreign.status == 404)
            #expect(try foreign.json["code"] == unknown.json["code"])
            let conversation = try whole.data("meta")["conversation_id"].text
            let question = try await world.send(
                .get, "/conversations/\(conversation)/messages"
            ).json["messages"][0]["id"].text
            #expect(try await world.rest(of: question).status == 404)
            #expect(try await world.rest(of: "nonsense").status == 404)
        }
    }

    @Test("can be had for ten minutes after their end, then no more")
    func expired() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."))
            let id = try await world.ask("What does joining cost?").data("meta")["message_id"].text
            try await world.age(by: "9 minutes 50 seconds")
            #expect(try await world.rest(of: id).status == 200)
            try await world.age(by: "11 seconds")
            let late = try await world.rest(of: id, after: 2)
            #expect(late.status == 410)
            #expect(try late.json["code"].text == "stream_expired")
            #expect(try await world.removeExpired() == 0)
            try await world.age(by: "1 minute")
            #expect(try await world.removeExpired() == 1)
        }
    }

    @Test("go with their conversation")
    func deleted() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."))
            world.model.answer(.says("Two."))
            let first = try await world.ask("What does joining cost?").data("meta")
            let second = try await world.ask("And what does leaving cost?").data("meta")
            #expect(try await world.frameCount == 2)
            let conversation = first["conversation_id"].text
            #expect(try await world.send(.delete, "/conversations/\(conversation)").status == 200)
            #expect(try await world.frameCount == 1)
            #expect(try await world.rest(of: second["message_id"].text).status == 200)
        }
    }

    @Test("end when a source of theirs is deleted, from that moment on")
    func withdrawn() async throws {
        try await ChatWorld.run { world in
            try await world.withIndex {
                let (reached, goOn) = (Signal(), Signal())
                world.model.answer([
                    .head, .piece("Behind the clock [1]. "), .pause(reached: reached, goOn: goOn),
                    .piece("Really."), .finish(), .done,
                ])
                let upload = try await world.upload("key.md")
                try await world.index(upload, "The barn key is kept behind the clock.")
                async let asked = world.ask("Where is the barn key kept?")
                try await reached.wait()
                let id = try await Self.generating(world)
                try await eventually { try await world.hasKept("Behind", of: id) }
                try await world.delete(upload)
                #expect(try await world.frameCount == 0)
                #expect(try await world.rest(of: id).status == 410)
                try await world.withAnotherReplica { other in
                    let there = try await other.rest(of: id)
                    #expect(there.status == 410)
                }
                goOn.fire()
                #expect(try await asked.data("sources").count == 1)
                #expect(try await world.rest(of: id).status == 410)
                #expect(try await world.frameCount == 0)
            }
        }
    }

    @Test("of a repeated request are the first one's to the byte, on another replica too")
    func repeated() async throws {
        try await ChatWorld.run { world in
            let name = try #require(HTTPField.Name("Idempotency-Key"))
            let (reached, goOn) = (Signal(), Signal())
            world.model.answer([
                .head, .piece("One. "), .pause(reached: reached, goOn: goOn), .piece("Two."),
                .finish(), .done,
            ])
            let first = Task { try await world.ask("What is it?", headers: [name: "k"]) }
            try await reached.wait()
            try await world.withAnotherReplica { other in
                async let again = other.ask("What is it?", headers: [name: "k"])
                try await eventually { other.chat.streams.waitCount > 0 }
                goOn.fire()
                let text = try await first.value.text
                #expect(try await again.text == text)
                #expect(try await other.ask("What is it?", headers: [name: "k"]).text == text)
            }
            try await world.age(by: "1 hour")
            let retold = try await world.ask("What is it?", headers: [name: "k"])
            #expect(try retold.answer == "One. Two.")
            #expect(world.model.requests.count == 1)
        }
    }

    @Test("that cannot be saved end as not saved before they hold too much, and say so")
    func unsaved() async throws {
        var limits = Answering.Limits()
        limits.unsavedByteCountMax = 20_000
        try await ChatWorld.run(limits: limits) { world in
            let gone = Signal()
            let long = String(repeating: "word ", count: 5_000)
            let (reached, goOn) = (Signal(), Signal())
            world.model.answer([
                .head, .piece("One. "), .pause(reached: reached, goOn: goOn), .piece(long),
                .hang(gone: gone),
            ])
            async let asked = world.ask("What does joining cost?")
            try await reached.wait()
            let id = try await Self.generating(world)
            try await world.holding(id) {
                goOn.fire()
                // The model is let go of at once, whatever Postgres does.
                try await gone.wait()
            }
            let reply = try await asked
            #expect(try reply.data("error")["code"].text == "not_saved")
            #expect(try reply.events.last?.type == "done")
        }
    }

    static var lastEventID: HTTPField.Name {
        get throws { try #require(HTTPField.Name("Last-Event-ID")) }
    }

    static func generating(_ world: ChatWorld) async throws -> String {
        let rows = try await world.pool.read { session in
            try session.run("SELECT id FROM messages WHERE status = 'generating'")
        }
        return try #require(rows.first).get("id", as: Message.ID.self).description
    }
}

extension ChatWorld {
    func rest(
        of id: String, after position: Int? = nil, query: String = ""
    ) async throws -> Reply {
        var headers = HTTPFields()
        if let position { headers[try StreamTests.lastEventID] = String(position) }
        return try await send(.get, "/chat/\(id)/stream\(query)", headers: headers)
    }

    var frameCount: Int {
        get async throws {
            try await pool.read { session in
                try session.run("SELECT count(*) AS total FROM stream_frames").first?.get("total")
                    ?? 0
            }
        }
    }

    /// Whether some text of a stream is in Postgres.
    func hasKept(_ text: String, of id: String) async throws -> Bool {
        try await !pool.read { session in
            try session.run(
                """
                SELECT FROM stream_frames
                WHERE message_id = \(id)::uuid AND strpos(frames, \(text)) > 0
                """)
        }.isEmpty
    }

    func removeExpired() async throws -> Int {
        try await pool.read { try StreamStore($0).deleteExpired(limit: 10) }
    }

    /// As if all streams were written that much earlier.
    func age(by interval: String) async throws {
        try await pool.read { session in
            try session.run(
                "UPDATE stream_frames SET created_at = created_at - \(interval)::interval")
        }
    }

    /// Keeps everybody else from a message while `body` runs.
    func holding(_ id: String, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await whileTransaction {
            try $0.run("SELECT FROM messages WHERE id = \(id)::uuid FOR UPDATE")
        } isOpen: {
            try await body()
        }
    }

    /// Keeps a transaction open that has done something while `body` runs.
    func whileTransaction(
        _ something: @escaping @Sendable (Transaction) throws -> Void,
        isOpen body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let (held, done) = (Signal(), Signal())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await pool.transaction { transaction in
                    try something(transaction)
                    held.fire()
                    while !done.hasFired && !Task.isCancelled {
                        try transaction.run("SELECT pg_sleep(0.05)")
                    }
                }
            }
            try await held.wait()
            defer { done.fire() }
            try await body()
        }
    }
}

extension Reply {
    /// The bytes that follow the event with this id.
    func text(after id: Int) -> String {
        guard id > 0, let start = text.range(of: "id: \(id)\n"),
            let end = text[start.upperBound...].range(of: "\n\n")
        else { return text }
        return String(text[end.upperBound...])
    }
}

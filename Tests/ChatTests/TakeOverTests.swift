import Database
import Domain
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import Chat

@Suite("Answers whose replica died")
struct TakeOverTests {
    /// A replica that never renews a lease is as good as dead.
    private static var dying: Answering.Limits {
        var limits = Answering.Limits()
        limits.leaseSeconds = 1
        limits.heartbeat = .seconds(3600)
        limits.sweep = .seconds(3600)
        return limits
    }

    private static var watching: Answering.Limits {
        var limits = Answering.Limits()
        limits.leaseSeconds = 1
        limits.heartbeat = .milliseconds(200)
        limits.sweep = .milliseconds(100)
        return limits
    }

    @Test("are ended by another one with what they had said, and can be asked for again")
    func ended() async throws {
        try await ChatWorld.run(limits: Self.dying) { world in
            try await world.withIndex {
                let (reached, goOn) = (Signal(), Signal())
                world.model.answer([
                    .head, .piece("Behind the clock [1]. "), .piece("Really"),
                    .pause(reached: reached, goOn: goOn), .piece("late."), .finish(), .done,
                ])
                let upload = try await world.upload("key.md")
                try await world.index(upload, "The barn key is kept behind the clock.")
                let asked = Task { try await world.ask("Where is the barn key kept?") }
                try await reached.wait()
                let id = try await StreamTests.generating(world)
                try await world.withAnotherReplica(limits: Self.watching) { other in
                    let rest = try await other.rest(of: id, after: 3)
                    let events = try rest.events
                    #expect(events.suffix(2).map(\.type) == ["error", "done"])
                    #expect(events.suffix(2).map(\.id) == ["id: 1000001", "id: 1000002"])
                    #expect(try rest.data("error")["code"].text == "interrupted")
                    #expect(try rest.data("done")["finish_reason"].text == "error")
                    #expect(try rest.answer == "Behind the clock [1]. Really")
                    let whole = try await other.rest(of: id)
                    #expect(whole.text(after: 3) == rest.text)
                    let none = try await other.rest(of: id, after: 1_000_002)
                    #expect(none.status == 204)

                    // What its viewers saw of it beyond what was kept does not matter.
                    let seen = try await other.rest(of: id, after: 500)
                    #expect(try seen.events.map(\.type) == ["error", "done"])

                    try await Self.expectKept(id, other)
                    goOn.fire()
                    let late = try await asked.value
                    #expect(try late.data("error")["code"].text == "not_saved")
                    try await Self.expectKept(id, other)

                    world.model.answer(.says("Behind the clock, again."))
                    let retried = try await other.send(.post, "/chat/\(id)/retry")
                    #expect(try retried.answer == "Behind the clock, again.")
                }
            }
        }
    }

    /// The model says "One. Two.", and pauses between.
    private static func pausingAnswer(_ world: ChatWorld) -> (reached: Signal, goOn: Signal) {
        let (reached, goOn) = (Signal(), Signal())
        world.model.answer([
            .head, .piece("One. "), .pause(reached: reached, goOn: goOn), .piece("Two."), .finish(),
            .done,
        ])
        return (reached, goOn)
    }

    private static func expectKept(_ id: String, _ world: ChatWorld) async throws {
        let name = try await world.rest(of: id).data("meta")["conversation_id"].text
        let messages = try await world.send(.get, "/conversations/\(name)/messages").json
        let reply = messages["messages"][1]
        #expect(reply["id"].text == id)
        #expect(reply["status"].text == "incomplete")
        #expect(reply["content"].text == "Behind the clock [1]. Really")
        #expect(reply["sources"].count == 1)
        #expect(reply["citations"][0]["quote"].text == "The barn key is kept behind the clock.")
    }

    @Test("are ended once, however many notice")
    func once() async throws {
        try await ChatWorld.run(limits: Self.dying) { world in
            let (reached, goOn) = (Signal(), Signal())
            world.model.answer([
                .head, .piece("One. "), .pause(reached: reached, goOn: goOn), .finish(), .done,
            ])
            async let asked = world.ask("What is it?")
            try await reached.wait()
            let id = try await StreamTests.generating(world)
            try await world.withAnotherReplica(limits: Self.watching) { second in
                try await second.withAnotherReplica(limits: Self.watching) { third in
                    async let here = second.rest(of: id)
                    async let there = third.rest(of: id)
                    let (one, other) = try await (here, there)
                    #expect(one.text == other.text)
                    #expect(try one.events.filter { $0.type == "done" }.count == 1)
                }
            }
            goOn.fire()
            _ = try await asked
        }
    }

    @Test("are left alone while another one's row is held")
    func held() async throws {
        try await ChatWorld.run(limits: Self.watching) { world in
            let (reached, goOn) = Self.pausingAnswer(world)
            async let first = world.ask("What is it?")
            async let second = world.ask("What is it?", as: "bob")
            try await eventually { world.model.requests.count == 2 }
            try await reached.wait()
            let id = try await StreamTests.generating(world)
            try await world.holding(id) {
                let before = try await world.longestLease
                // Beyond a lease, the other one's is renewed.
                try await eventually { try await world.longestLease > before.addingTimeInterval(2) }
            }
            goOn.fire()
            let answers = try await [first.answer, second.answer]
            #expect(answers.contains("One. Two."))
        }
    }

    @Test("are told by their leases, which are renewed while events are being kept")
    func busy() async throws {
        try await ChatWorld.run(limits: Self.watching) { world in
            let (reached, goOn) = Self.pausingAnswer(world)
            async let asked = world.ask("What is it?")
            try await reached.wait()
            let id = try await StreamTests.generating(world)
            let message = try #require(Message.ID(id))
            try await eventually { try await world.hasKept("One", of: id) }
            try await world.whileTransaction { transaction in
                let rows = try transaction.run(
                    "SELECT replica FROM messages WHERE id = \(message)")
                let piece = StreamStore.Piece(
                    message: message, firstID: 500, lastID: 500, frames: "late")
                let kept = try StreamStore(transaction).add(
                    [piece], replica: try #require(rows.first).get("replica"))
                #expect(kept == [message])
            } isOpen: {
                let before = try await world.longestLease
                try await eventually { try await world.longestLease > before.addingTimeInterval(2) }
                // The end waits for them: it would leave them behind.
                goOn.fire()
                try await eventually { try await world.waitsForLock(of: "messages") }
            }
            #expect(try await asked.answer == "One. Two.")
            #expect(try await world.hasKept("late", of: id) == false)
        }
    }

    @Test("whose events cannot be read are ended without them, and keep no other from its end")
    func unreadable() async throws {
        try await ChatWorld.run(limits: Self.dying) { world in
            let (reached, goOn) = (Signal(), Signal())
            world.model.answer([
                .head, .piece("One. "), .pause(reached: reached, goOn: goOn), .finish(), .done,
            ])
            async let asked = world.ask("What is it?")
            try await reached.wait()
            let id = try await StreamTests.generating(world)
            try await eventually { try await world.hasKept("One", of: id) }
            try await world.pool.read { session in
                try session.run(
                    "UPDATE stream_frames SET frames = replace(frames, 'token', 'to\"ken')")
            }
            try await world.withAnotherReplica(limits: Self.watching) { other in
                let rest = try await other.rest(of: id, after: 500)
                let types = try rest.events.map(\.type)
                #expect(types == ["error", "done"])
            }
            goOn.fire()
            _ = try await asked
        }
    }

    @Test("are left alone while those who make them had no chance to say that they live")
    func outage() async throws {
        try await ChatWorld.run(limits: Self.watching) { world in
            let (reached, goOn) = Self.pausingAnswer(world)
            async let asked = world.ask("What is it?")
            try await reached.wait()
            // The table is out of reach for longer than a lease, for everybody.
            try await world.pool.transaction { transaction in
                try transaction.run("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
                try transaction.run("SELECT pg_sleep(3)")
            }
            goOn.fire()
            #expect(try await asked.answer == "One. Two.")
            #expect(try await asked.data("done")["finish_reason"].text == "stop")
        }
    }
}

extension ChatWorld {
    /// Somebody wants rows of this table that another one has.
    fileprivate func waitsForLock(of table: String) async throws -> Bool {
        let rows = try await pool.read { session in
            try session.run(
                """
                SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'
                  AND query LIKE \("%\(table)%FOR UPDATE%")
                """)
        }
        return !rows.isEmpty
    }

    fileprivate var longestLease: Date {
        get async throws {
            let rows = try await pool.read { session in
                try session.run("SELECT max(lease_expires_at) AS latest FROM messages")
            }
            return try #require(rows.first).get("latest")
        }
    }
}

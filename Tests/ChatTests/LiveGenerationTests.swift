import Database
import Domain
import Postgres
import Qdrant
import TestSupport
import Testing

@testable import Chat

@Suite("Live generation")
struct LiveGenerationTests {
    @Test("is beaten for, and a reload is carried out only when its collection is there")
    func reload() async throws {
        try await ChatWorld.run { world in
            try await world.withIndex {
                #expect(try await Self.row(world) == [1, 0])
                _ = try await world.pool.transaction { transaction in
                    try transaction.run("SELECT nextval('reload_requests')")
                    try transaction.notify(Channel.generations, "")
                }
                try await eventually { try await Self.row(world) == [1, 1] }
                let collection = try #require(await world.chat.generation.current()?.collection)
                try await world.chat.qdrant.deleteCollection(collection)
                _ = try await world.pool.read { try $0.run("SELECT nextval('reload_requests')") }
                await world.chat.generation.look()
                #expect(try await Self.row(world) == [1, 1])
                #expect(await world.chat.generation.current()?.number == 1)
            }
        }
    }

    private static func row(_ world: ChatWorld) async throws -> [Int] {
        try await world.pool.read { session in
            let rows = try session.run("SELECT generation, reload_sequence FROM chat_replicas")
            guard let row = rows.first else { return [] }
            return [try row.get("generation"), try row.get("reload_sequence")]
        }
    }
}

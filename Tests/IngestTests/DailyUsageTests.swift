import Database
import Domain
import HTTPTypes
import HummingbirdTesting
import Postgres
import Testing

@testable import Ingest

@Suite("Uploads of a day")
struct DailyUsageTests {
    @Test("are counted for their member alone, and stay when the files go, until the member does")
    func counted() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let alice = try world.headers(IngestWorld.alice)
                let root = try world.headers(IngestWorld.bob, isAdmin: true)
                for text in ["One.", "Number two."] {
                    let made = try await client.upload(
                        text, named: "a.txt", query: "?wait=0", headers: alice)
                    let id = try #require(made.json()["id"] as? String)
                    let gone = try await client.execute(
                        uri: "/attachments/\(id)", method: .delete, headers: alice)
                    #expect(gone.status == .ok)
                }
                let shared = try await client.post(
                    form(Array("Shared.".utf8), field: "file", filename: "s.txt"),
                    to: "/admin/uploads?wait=0", headers: root)
                #expect(shared.status == .created)
                let total = try await world.total()
                #expect(total.rowCount == 1 && total.userCount == 1)
                #expect(total.figures.uploadCount == 2)
                #expect(total.figures.uploadedByteCount == 15)
                let erased = try await client.execute(uri: "/user", method: .delete, headers: alice)
                #expect(erased.status == .ok)
                #expect(try await world.total().rowCount == 0)
                try await world.cancelAllJobs()
            }
        }
    }
}

extension IngestWorld {
    fileprivate func total() async throws -> UsageTotal {
        try await ingest.pool.read { try DailyUsageStore($0).total(.init()) }
    }
}

import Database
import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Postgres
import TestSupport
import Testing

@testable import Ingest

@Suite("Events of a file's indexing")
struct IndexingEventsTests {
    @Test("tell each state until the end, then that it is over")
    func untilTheEnd() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model) { world in
            try await world.working {
                try await world.serving { client in
                    let headers = try world.headers(IngestWorld.alice)
                    let release = Signal()
                    model.hold(until: release)
                    let id = try await upload("Batteries age.", client, headers)
                    try await model.wasAsked.wait(atMost: .seconds(30))
                    async let answer = client.execute(
                        uri: "/attachments/\(id)/events", method: .get, headers: headers)
                    try await viewerHasSeenOne(in: world)
                    release.fire()
                    let events = try await Self.events(of: answer)
                    #expect(events.first?.status == "processing")
                    #expect(events.first?.state == "processing")
                    #expect(events.suffix(2).map(\.type) == ["status", "done"])
                    #expect(events.suffix(2).map(\.status) == ["indexed", "indexed"])
                    #expect(events.dropLast().allSatisfy { $0.type == "status" && $0.id == id })
                }
            }
        }
    }

    @Test("of one at its end say it once")
    func ended() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.serving { client in
                    let headers = try world.headers(IngestWorld.alice)
                    let made = try await client.upload("Text.", named: "a.txt", headers: headers)
                    let id = try #require(made.json()["id"] as? String)
                    let answer = try await client.execute(
                        uri: "/attachments/\(id)/events", method: .get, headers: headers)
                    #expect(answer.headers[.contentType] == "text/event-stream; charset=utf-8")
                    #expect(try Self.events(of: answer).map(\.type) == ["status", "done"])
                }
            }
        }
    }

    @Test("end when the file is deleted, and are nobody else's")
    func deleted() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let headers = try world.headers(IngestWorld.alice)
                let id = try await upload("Batteries age.", client, headers)
                let uri = "/attachments/\(id)/events"
                let bob = try world.headers(IngestWorld.bob)
                #expect(
                    try await client.execute(uri: uri, method: .get, headers: bob).status
                        == .notFound)
                async let answer = client.execute(uri: uri, method: .get, headers: headers)
                try await viewerHasSeenOne(in: world)
                // Not over the client's one connection, which the stream has.
                let document = try #require(Document.ID(id))
                _ = try await world.ingest.pool.transaction {
                    try DocumentStore($0).delete(document)
                }
                let events = try await Self.events(of: answer)
                #expect(events.map(\.type) == ["status", "error", "done"])
                #expect(events.last?.status == "deleted")
                #expect(events[1].code == "attachment_not_found")
                try await world.cancelAllJobs()
            }
        }
    }

    /// It waits again.
    private func viewerHasSeenOne(in world: IngestWorld) async throws {
        try await eventually { world.ingest.news.waitCount > 1 }
    }

    private func upload(
        _ text: String, _ client: any TestClientProtocol, _ headers: HTTPFields
    ) async throws -> String {
        let made = try await client.upload(
            text, named: "a.txt", query: "?wait=0", headers: headers)
        return try #require(made.json()["id"] as? String)
    }

    private struct Event: Decodable {
        struct Content: Decodable {
            struct Indexing: Decodable { let state: String }
            let id: String?
            let status: String?
            let code: String?
            let indexing: Indexing?
        }
        let type: String
        let data: Content

        var id: String? { data.id }
        var status: String? { data.status }
        var code: String? { data.code }
        var state: String? { data.indexing?.state }
    }

    private static func events(of answer: TestResponse) throws -> [Event] {
        let text = String(buffer: answer.body)
        #expect(text.hasSuffix("\n\ndata: [DONE]\n\r\n"))
        return try text.components(separatedBy: "\n\n").dropLast().map { frame in
            #expect(frame.hasPrefix("data: {"))
            return try JSONDecoder().decode(Event.self, from: Data(frame.dropFirst(6).utf8))
        }
    }
}

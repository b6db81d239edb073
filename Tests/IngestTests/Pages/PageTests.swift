import Database
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Postgres
import Testing

@testable import Ingest

@Suite("Pages and captions", .serialized)
struct PageTests {
    private func upload(
        _ name: String, _ client: any TestClientProtocol, _ headers: HTTPFields
    ) async throws -> [String: Any] {
        try await client.upload(
            SampleDocument.bytes(name), named: name, query: "?wait=50", headers: headers
        ).json()
    }

    @Test("indexes a PDF with pages and boxes, and draws its pages for their owner alone")
    func pages() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let made = try await upload("statute.pdf", client, alice)
                    #expect(made["status"] as? String == "indexed")
                    let chunks = try await world.chunks()
                    #expect(Set(chunks.map(\.page)) == [1, 2, 3])
                    #expect(chunks.allSatisfy { !$0.boxes.isEmpty })
                    let id = try #require(made["id"] as? String)
                    func get(
                        _ page: String, _ headers: HTTPFields
                    ) async throws -> TestResponse {
                        try await client.execute(
                            uri: "/attachments/\(id)/pages/\(page)", method: .get,
                            headers: headers)
                    }
                    let page = try await get("3", alice)
                    #expect(page.status == .ok)
                    #expect(page.headers[.contentType] == "image/png")
                    #expect(page.headers[.cacheControl] == "private, no-cache")
                    let name = try #require(HTTPField.Name("x-pixels-per-unit"))
                    #expect(page.headers[name] == "2.0")
                    let header = PictureHeader(Array(page.body.readableBytesView))
                    #expect(header?.format == .png)
                    let tag = try #require(page.headers[.eTag])
                    let again = try await get("3", alice + [.ifNoneMatch: tag])
                    #expect(again.status == .notModified)
                    for absent in ["4", "0", "-1", "x", "99999999999999999999"] {
                        #expect(try await get(absent, alice).status == .notFound)
                    }
                    let bob = try world.headers(IngestWorld.bob)
                    let foreign = try await get("1", bob)
                    let unknown = try await client.execute(
                        uri: "/attachments/\(UUID())/pages/1", method: .get, headers: bob)
                    #expect(foreign.status == .notFound && unknown.status == .notFound)
                    #expect(
                        try foreign.json()["detail"] as? String
                            == unknown.json()["detail"] as? String)
                }
            }
        }
    }

    @Test("goes on after the pages that a worker before had recognised, and keeps none of them")
    func keptPages() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let alice = try world.headers(IngestWorld.alice)
                let made = try await client.upload(
                    SampleDocument.bytes("scanned.pdf"), named: "scanned.pdf", query: "?wait=0",
                    headers: alice
                ).json()
                let id = try #require((made["id"] as? String).flatMap(Document.ID.init))
                try await keep("The first page.", of: id, in: world)
                try await world.working { try await world.expectAllJobsFinished() }
                let text = try await world.chunks().map(\.text).joined(separator: " ")
                #expect(text.contains("The first page."))
                #expect(text.contains("oltre 600 kW") && !text.contains("quota di"))
                #expect(try await world.rowCount(of: ["recognised_pages"]) == 0)
            }
        }
    }

    @Test("leaves no recognised page of a file that fails, or is deleted")
    func forgottenPages() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let alice = try world.headers(IngestWorld.alice)
                var ids: [Document.ID] = []
                for name in ["truncated.pdf", "scanned.pdf"] {
                    let made = try await client.upload(
                        SampleDocument.bytes(name), named: name, query: "?wait=0", headers: alice
                    ).json()
                    ids.append(try #require((made["id"] as? String).flatMap(Document.ID.init)))
                }
                for id in ids { try await keep("The first page.", of: id, in: world) }
                _ = try await client.execute(
                    uri: "/attachments/\(ids[1])", method: .delete, headers: alice)
                try await world.working { try await world.expectAllJobsFinished() }
                #expect(try await world.rowCount(of: ["recognised_pages"]) == 0)
            }
        }
    }

    private func keep(_ text: String, of id: Document.ID, in world: IngestWorld) async throws {
        let line = PageLayout.Line(
            text: text, box: LineBox(left: 50, top: 200, width: 90, height: 12))
        let page = PageLayout(
            number: 1, width: 595, height: 842, blocks: [PageLayout.Block(lines: [line])],
            isRecognised: true)
        let layout = try RecognisedPages.encode([page])
        try await world.ingest.pool.read { try RecognisedPageStore($0).insert(1, of: id, layout) }
    }

    @Test("fails a document for its own reason, in words and a code for its owner")
    func failure() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let made = try await upload("encrypted.pdf", client, alice)
                    #expect(made["status"] as? String == "failed")
                    let error = made["error"] as? [String: String]
                    #expect(error?["code"] == "encrypted")
                    let id = try #require(made["id"] as? String)
                    let page = try await client.execute(
                        uri: "/attachments/\(id)/pages/1", method: .get, headers: alice)
                    #expect(page.status == .unprocessableContent)
                    #expect(try page.json()["code"] as? String == "encrypted")
                }
            }
        }
    }

    @Test("asks a model that sees for a caption once, indexes it and gives it back")
    func caption() async throws {
        let model = EmbeddingServer()
        model.describe("A bill of 84 euro, for March.")
        try await IngestWorld.make(model, settings: ["OPENAI_VISION_MODEL": "sees"]) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let made = try await upload("bill.gif", client, alice)
                    #expect(made["status"] as? String == "indexed")
                    #expect(made["caption"] as? String == "A bill of 84 euro, for March.")
                    let texts = try await world.shownTexts().joined()
                    #expect(texts.contains("A bill of 84 euro, for March."))
                    #expect(texts.contains("La bolletta di marzo"))
                    let asked = try #require(model.pictures.first)
                    #expect(model.pictures.count == 1)
                    #expect(PictureHeader(asked)?.format == .png)
                }
            }
        }
    }

    @Test("indexes a picture without a caption when the model cannot give one")
    func withoutCaption() async throws {
        let model = EmbeddingServer()
        try await IngestWorld.make(model, settings: ["OPENAI_VISION_MODEL": "blind"]) { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let made = try await upload("bill.png", client, alice)
                    #expect(made["status"] as? String == "indexed")
                    #expect(made["caption"] is NSNull)
                    #expect(try await world.shownTexts().joined().contains("bolletta"))
                }
            }
        }
    }
}

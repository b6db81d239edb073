import Domain
import FoundationEssentials
import Testing

@Suite("Identifiers")
struct IdentifierTests {
    @Test("of a name are UUID version 5, the same always and everywhere")
    func named() throws {
        // RFC 9562, appendix A.4.
        let dns = try #require(UUID(uuidString: "6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
        let id = Document.ID(namespace: dns, name: "www.example.com")
        #expect(id.description == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
    }

    @Test("are written in lower case and read in either")
    func cases() throws {
        let id = try #require(Document.ID("2ED6657D-E927-568B-95E1-2665A8AEA6A2"))
        #expect(id.description == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
        let json = try JSONEncoder().encode([id])
        #expect(String(decoding: json, as: UTF8.self) == "[\"\(id)\"]")
        #expect(try JSONDecoder().decode([Document.ID].self, from: json) == [id])
    }

    @Test("refuse what is no UUID", arguments: ["", "1", "2ed6657de927568b95e12665a8aea6a2", "x"])
    func refuses(text: String) {
        #expect(Document.ID(text) == nil)
    }

    @Test("a revision's is another for another content, document or way of cutting")
    func revisions() {
        let document = Document.ID()
        let id = Revision.id(document: document, contentHash: [1, 2], chunkingVersion: "1")
        #expect(id == Revision.id(document: document, contentHash: [1, 2], chunkingVersion: "1"))
        #expect(id != Revision.id(document: document, contentHash: [1, 3], chunkingVersion: "1"))
        #expect(id != Revision.id(document: document, contentHash: [1, 2], chunkingVersion: "2"))
        #expect(
            id != Revision.id(document: Document.ID(), contentHash: [1, 2], chunkingVersion: "1"))
    }
}

@Suite("Index description")
struct IndexDescriptionTests {
    let index = IndexDescription(
        passageModel: "p", questionModel: "q", dimensionCount: 384, chunkingVersion: "1",
        analysisVersion: "1")

    @Test("has a fingerprint that every field changes")
    func fingerprints() {
        var others: [IndexDescription] = Array(repeating: index, count: 5)
        others[0].passageModel = "x"
        others[1].questionModel = "x"
        others[2].dimensionCount = 1
        others[3].chunkingVersion = "x"
        others[4].analysisVersion = "x"
        #expect(Set((others + [index]).map(\.fingerprint)).count == 6)
        #expect(index.fingerprint.count == 8)
        #expect(index.collection(base: "docs", number: 3) == "docs__\(index.fingerprint)__3")
    }

    @Test("keeps embeddings valid when only the cutting or the analysis changed")
    func keepsEmbeddings() {
        var other = index
        other.chunkingVersion = "2"
        other.analysisVersion = "2"
        #expect(other.modelFingerprint == index.modelFingerprint)
        other.dimensionCount = 2
        #expect(other.modelFingerprint != index.modelFingerprint)
    }
}

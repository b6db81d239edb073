import ChildProcess
import Domain
import Foundation
import JobQueue
import NIOCore
import ObjectStorage
import TestSupport
import Testing

@testable import Ingest

/// A document in a storage of its own, opened as the workers open it.
struct SandboxedSample {
    let sandbox: DocumentSandbox
    let document: IndexableDocument

    static func with<Value: Sendable>(
        _ name: String, _ contentType: String, limits: ExtractionLimits = ExtractionLimits(),
        _ body: (SandboxedSample) async throws -> Value
    ) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "test_pages_\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let storage = try FolderStorage(root: folder.path())
        let bytes = try SampleDocument.bytes(name)
        let stored = try await storage.put(
            key: "uploads/sample",
            bytes: AsyncStream<ByteBuffer> {
                $0.yield(ByteBuffer(bytes: bytes))
                $0.finish()
            }, byteCountMax: bytes.count)
        let attachment = Attachment(
            id: Attachment.ID(), owner: .shared, filename: name, contentType: contentType,
            byteCount: bytes.count, sha256: stored.sha256, storageKey: stored.key,
            status: .processing, failure: nil, caption: nil, chunkCount: 0, pageCount: nil,
            createdAt: Date(), sequence: 1)
        let sandbox = DocumentSandbox(
            storage: storage, executable: try environment("TEST_BINARIES") + "/ingest",
            limits: limits)
        return try await body(
            SandboxedSample(sandbox: sandbox, document: try IndexableDocument(attachment)))
    }

    static func text(
        of name: String, _ contentType: String, limits: ExtractionLimits = ExtractionLimits()
    ) async throws -> ExtractedText {
        try await with(name, contentType, limits: limits) {
            try await Extractor(sandbox: $0.sandbox).extract($0.document, pages: PagesInMemory())
        }
    }
}

/// Recognised pages where a test sees them.
actor PagesInMemory: PageKeeping {
    private(set) var pages: [PageLayout]

    init(_ pages: [PageLayout] = []) { self.pages = pages }

    func find() -> [PageLayout] { pages }
    func keep(_ page: PageLayout) { pages.append(page) }
}

@Suite("PDF and pictures", .serialized)
struct PagedDocumentTests {
    @Test("reads a PDF: title, headings, pages, a table, columns in order, no headers and footers")
    func statute() async throws {
        for name in ["statute.pdf", "restricted.pdf"] {
            let text = try await SandboxedSample.text(of: name, "application/pdf")
            #expect(text.title == "Statuto della comunità")
            let found = text.blocks.map { ($0.page, text.text.slice($0.range)) }
            #expect(
                found.map(\.1).map { $0.prefix(30) } == [
                    "Statuto della comunità", "La comunità energetica riunisc",
                    "The assembly of members meets ", "Tariffe",
                    "La tabella riporta la tariffa ", "Potenza | Tariffa fissa | Tett",
                    "Domande e risposte", "La colonna di sinistra spiega ",
                    "The right column tells how to ", "Chi abita in affitto può entra",
                    "Meters stay where they are, an",
                ])
            #expect(found.map(\.0) == [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3])
            #expect(text.blocks[0].kind == .heading(level: 1))
            #expect(text.blocks[3].kind == .heading(level: 2))
            #expect(text.blocks[5].tableHeader == "Potenza | Tariffa fissa | Tetto massimo")
            #expect(text.text.contains("oltre 600 kW | 60 euro | 100 euro"))
            #expect(!text.text.contains("Pagina") && !text.text.contains("di prova"))
        }
    }

    @Test("knows where the lines of a PDF stand")
    func boxes() async throws {
        let text = try await SandboxedSample.text(of: "statute.pdf", "application/pdf")
        for block in text.blocks {
            let lines = text.text.slice(block.range).split(separator: "\n")
            #expect(lines.count == block.lines.count)
        }
        // The second paragraph of page 1, set in 11 points, two centimetres from the left.
        let box = try #require(text.blocks[1].lines.first)
        #expect(box == LineBox(left: 56.8, top: 127.1, width: 481, height: 14.3))
        // The right column.
        #expect(try #require(text.blocks[8].lines.first).left == 311.9)
    }

    @Test("recognises a scanned PDF, with its lines where they stand on the page")
    func scanned() async throws {
        let text = try await SandboxedSample.text(of: "scanned.pdf", "application/pdf")
        #expect(text.text.contains("quota di"))
        #expect(text.text.contains("every member has one vote"))
        #expect(Set(text.blocks.compactMap(\.page)) == [1, 2])
        let place = try #require(
            text.blocks.first { text.text.slice($0.range).contains("energetica riunisce") })
        // In points, as in the PDF it is a scan of.
        let box = try #require(place.lines.first)
        #expect(abs(box.left - 56.8) < 4 && abs(box.top - 129) < 6 && abs(box.width - 481) < 6)
    }

    @Test("reads no page again that was recognised before")
    func resumed() async throws {
        let kept = PageLayout(
            number: 1, width: 595, height: 842,
            blocks: [
                PageLayout.Block(lines: [
                    PageLayout.Line(
                        text: "Read before.",
                        box: LineBox(left: 50, top: 200, width: 90, height: 12))
                ])
            ], isRecognised: true)
        let pages = PagesInMemory([kept])
        let text = try await SandboxedSample.with("scanned.pdf", "application/pdf") {
            try await Extractor(sandbox: $0.sandbox).extract($0.document, pages: pages)
        }
        #expect(text.blocks.first.map { text.text.slice($0.range) } == "Read before.")
        #expect(text.text.contains("oltre 600 kW"))
        #expect(!text.text.contains("quota di"))
        #expect(await pages.pages.map(\.number) == [1, 2])
    }

    @Test(
        "recognises each kind of picture, upright, in both languages",
        arguments: [
            ("bill.png", "image/png"), ("bill.jpg", "image/jpeg"), ("turned.jpg", "image/jpeg"),
            ("bill.gif", "image/gif"), ("bill.webp", "image/webp"), ("bill.tiff", "image/tiff"),
        ])
    func pictures(_ name: String, _ type: String) async throws {
        let text = try await SandboxedSample.text(of: name, type)
        #expect(text.text.contains("La bolletta di marzo costa 84 euro."))
        #expect(text.text.contains("The heat pump saves energy."))
        let first = try #require(text.blocks.first)
        #expect(first.page == 1)
        // In pixels of the upright picture: the first line is set at 40, 90.
        let box = try #require(first.lines.first)
        #expect(abs(box.left - 43) < 4 && abs(box.top - 64) < 4 && abs(box.width - 589) < 6)
        #expect(text.text.contains("Second frame") == (name == "bill.tiff"))
        if name == "bill.tiff" { #expect(text.blocks.last?.page == 2) }
    }

    @Test("keeps a picture that has no text in it")
    func blank() async throws {
        #expect(try await SandboxedSample.text(of: "blank.png", "image/png").text == "")
    }

    static var limited: ExtractionLimits {
        var limits = ExtractionLimits()
        limits.cpuSeconds = 2
        limits.reading.recognisedPageCountMax = 1
        return limits
    }

    @Test(
        "says why a document cannot be read",
        arguments: [
            ("encrypted.pdf", "application/pdf", "encrypted"),
            ("truncated.pdf", "application/pdf", "corrupt"),
            ("many-pages.pdf", "application/pdf", "too_many_pages"),
            ("scanned.pdf", "application/pdf", "too_many_scanned_pages"),
            ("endless.pdf", "application/pdf", "timed_out"),
            ("bill.tiff", "image/tiff", "too_many_scanned_pages"),
            ("huge.png", "image/png", "too_many_pixels"),
            ("huge.gif", "image/gif", "too_many_pixels"),
            ("huge.tiff", "image/tiff", "too_many_pixels"),
            ("statute.pdf", "image/png", "corrupt"), ("bill.png", "application/pdf", "corrupt"),
        ])
    func refused(_ name: String, _ type: String, _ code: String) async throws {
        await #expect {
            try await SandboxedSample.text(of: name, type, limits: Self.limited)
        } throws: { error in
            guard case JobFailure.giveUp(let found, _) = error else { return false }
            return found == code
        }
    }

    @Test("draws pages, and says by how much a box is to be scaled")
    func rendering() async throws {
        let cases = [
            ("statute.pdf", "application/pdf", 2, 2.0, 1191, 1684),
            ("bill.png", "image/png", 1, 1.0, 900, 300),
            ("turned.jpg", "image/jpeg", 1, 1.0, 900, 300),
            ("bill.tiff", "image/tiff", 2, 1.0, 900, 300),
        ]
        for (name, type, page, scale, width, height) in cases {
            try await SandboxedSample.with(name, type) { sample in
                let renderer = PageRenderer(sandbox: sample.sandbox, concurrency: 1)
                let made = try await renderer.render(
                    page, of: sample.document.content, as: sample.document.format)
                let size = try #require(PictureHeader(made.png)?.pages.first, "\(name)")
                #expect(abs(made.scale - scale) < 0.01, "\(name)")
                #expect(size.width == width && size.height == height, "\(name)")
                await #expect(throws: ExtractionFailure.noSuchPage) {
                    try await renderer.render(
                        page + 5, of: sample.document.content, as: sample.document.format)
                }
            }
        }
    }
}

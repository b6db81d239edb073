import ChildProcess
import TestSupport
import Testing

@testable import Ingest

@Suite("Documents in a child process", .serialized)
struct ContainedDocumentTests {
    @Test(
        "are read there as anywhere",
        arguments: [
            ("rules.docx", "vnd.openxmlformats-officedocument.wordprocessingml.document", .docx),
            ("meters.xlsx", "vnd.openxmlformats-officedocument.spreadsheetml.sheet", .xlsx),
            (
                "assembly.pptx", "vnd.openxmlformats-officedocument.presentationml.presentation",
                .pptx
            ),
            ("rules.odt", "vnd.oasis.opendocument.text", .odt),
            ("meters.ods", "vnd.oasis.opendocument.spreadsheet", .ods),
            ("assembly.odp", "vnd.oasis.opendocument.presentation", .odp),
            ("guide.epub", "epub+zip", .epub), ("page.html", "xhtml+xml", .html),
        ] as [(String, String, Extraction.Format)])
    func samples(_ file: String, _ subtype: String, _ format: Extraction.Format) async throws {
        let there = try await SandboxedSample.text(of: file, "application/\(subtype)")
        let here = try Extraction.extract(
            try SampleDocument.bytes(file), as: format, limits: ReadingLimits())
        #expect(there == ExtractedText(title: here.title, blocks: here.blocks))
    }

    @Test("end with a typed failure within the default limits, whatever they unpack to")
    func bombs() async throws {
        var bomb = ZipFile()
        bomb.add("content.xml", zeroCount: 210 << 20)
        #expect(try await failure(of: bomb.bytes, as: .odt) == .unpacksTooLarge)

        let page = Array(String(repeating: "<p>", count: 100_000).utf8)
        #expect(try await failure(of: page, as: .html) == nil)
        let deep = Array(String(repeating: "<b>", count: 8 << 20).utf8)
        #expect(try await failure(of: deep, as: .html) == .tooDeep)
    }

    /// Nil if it was read.
    private func failure(
        of bytes: [UInt8], as format: Extraction.Format
    ) async throws -> ExtractionFailure? {
        let child = ChildProcess(
            executable: try environment("TEST_BINARIES") + "/ingest",
            arguments: ["extract", format.rawValue],
            limits: ExtractionLimits().child(wallSeconds: 60),
            input: .bytes(bytes), outputByteCountMax: 1 << 20)
        do {
            _ = try await child.run()
            return nil
        } catch {
            guard case .exited(let status, _) = error else { throw error }
            return ExtractionFailure(rawValue: status)
        }
    }
}

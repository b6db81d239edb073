import ChildProcess
import FoundationEssentials
import JobQueue

/// Text out of documents: `ingest extract`, in a child process for each.
struct Extractor: Sendable {
    let sandbox: DocumentSandbox

    func extract(_ document: IndexableDocument) async throws -> ExtractedText {
        let limits = sandbox.limits
        do {
            let output = try await sandbox.run(
                ["extract", document.format.rawValue], on: document.content,
                wallSeconds: document.format.isReadByTools
                    ? limits.recognitionSeconds : limits.wallSeconds,
                outputByteCountMax: limits.outputByteCountMax)
            return try ExtractedText(decoding: output)
        } catch let failure as ExtractionFailure where failure != .toolMissing {
            throw JobFailure.giveUp(code: failure.code, message: failure.message)
        }
    }
}

/// What one document may take.
struct ExtractionLimits: Sendable, Hashable {
    var reading = ReadingLimits()
    var wallSeconds = 60
    /// The same where a page after another may have to be recognised.
    var recognitionSeconds = 300
    /// Of every single process.
    var cpuSeconds = 30
    var addressSpaceByteCount = 2 << 30
    /// Of the text and its structure.
    var outputByteCountMax = 64 << 20

    func child(wallSeconds: Int) -> ChildProcess.Limits {
        ChildProcess.Limits(
            addressSpaceByteCount: addressSpaceByteCount, cpuSeconds: cpuSeconds,
            // A rendered page is a file.
            fileByteCount: 64 << 20, openFileCount: 32, wallTime: .seconds(wallSeconds))
    }
}

/// The child's output: a line of JSON for the title, then one for every block.
extension ExtractedText {
    private struct Head: Codable { let title: String? }

    init(decoding bytes: [UInt8]) throws {
        let decoder = JSONDecoder()
        var lines = bytes.split(separator: UInt8(ascii: "\n"))[...]
        let head = try lines.popFirst().map { try decoder.decode(Head.self, from: Data($0)) }
        self.init(
            title: head?.title,
            blocks: try lines.map { try decoder.decode(TextBlock.self, from: Data($0)) })
    }

    static func encoded(_ document: DocumentBlocks) throws -> [UInt8] {
        let encoder = JSONEncoder()
        var bytes = Array(try encoder.encode(Head(title: document.title)))
        for block in document.blocks {
            bytes.append(UInt8(ascii: "\n"))
            bytes += try encoder.encode(block)
        }
        return bytes
    }
}

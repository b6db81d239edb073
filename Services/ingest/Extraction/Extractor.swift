import ChildProcess
import Domain
import FoundationEssentials
import JobQueue
import NIOCore
import ObjectStorage

/// Opens documents, each in a child process of its own: `ingest extract` of our own executable.
struct Extractor: Sendable {
    let storage: any ObjectStorage
    let executable: String
    let limits: ExtractionLimits

    func extract(_ document: IndexableDocument) async throws -> ExtractedText {
        let bytes = try await bytes(of: document)
        let output = try await run(bytes, as: document.format)
        return try ExtractedText(decoding: output)
    }

    private func bytes(of document: IndexableDocument) async throws -> [UInt8] {
        switch document.content {
        case .markdown(let text): return Array(text.utf8)
        case .stored(let key, let byteCount):
            let body = try await storage.get(key: key, range: nil)
            var bytes: [UInt8] = []
            bytes.reserveCapacity(byteCount)
            for try await part in body.bytes {
                guard bytes.count + part.readableBytes <= byteCount else {
                    throw JobFailure.giveUp(code: "corrupt", message: "The stored file changed.")
                }
                bytes += part.readableBytesView
            }
            return bytes
        }
    }

    private func run(_ bytes: [UInt8], as format: Extraction.Format) async throws -> [UInt8] {
        let child = ChildProcess(
            executable: executable,
            arguments: ["extract", format.rawValue, "--limits", try limits.reading.argument],
            limits: limits.child, input: .bytes(bytes),
            outputByteCountMax: limits.outputByteCountMax)
        do {
            return try await child.run().stdout
        } catch {
            throw Self.failure(error)
        }
    }

    /// What a document did to its child, in words for its owner.
    private static func failure(_ error: ChildError) -> any Error {
        switch error {
        case .timedOut:
            JobFailure.giveUp(code: "timed_out", message: "Reading the file took too long.")
        case .outputTooLarge:
            JobFailure.giveUp(code: "too_much_text", message: "There is too much text in the file.")
        case .exited(let status, _):
            ExtractionFailure(rawValue: status).map {
                JobFailure.giveUp(code: $0.code, message: $0.message)
            } as (any Error)? ?? error
        case .signalled:
            JobFailure.giveUp(code: "too_large", message: "The file takes too much to read.")
        default: error
        }
    }
}

/// What one document may take.
struct ExtractionLimits: Sendable, Hashable {
    var reading = ReadingLimits()
    var wallSeconds = 60
    var cpuSeconds = 30
    var addressSpaceByteCount = 2 << 30
    /// Of the text and its structure.
    var outputByteCountMax = 64 << 20

    var child: ChildProcess.Limits {
        ChildProcess.Limits(
            addressSpaceByteCount: addressSpaceByteCount, cpuSeconds: cpuSeconds,
            fileByteCount: 1 << 20, openFileCount: 32, wallTime: .seconds(wallSeconds))
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

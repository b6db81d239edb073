import ChildProcess
import FoundationEssentials
import JobQueue

/// Text out of documents: `ingest extract`, in a child process for each, and `ingest recognise` before
/// it for every page that is a picture.
struct Extractor: Sendable {
    let sandbox: DocumentSandbox

    func extract(
        _ document: IndexableDocument, pages: any PageKeeping, _ progress: IndexingProgress? = nil
    ) async throws -> ExtractedText {
        do {
            return try await sandbox.fetching(document.content) { fetched in
                try await extract(
                    Opened(document: fetched, format: document.format), pages, progress)
            }
        } catch let failure as ExtractionFailure where failure != .toolMissing {
            throw JobFailure.giveUp(code: failure.code, message: failure.message)
        }
    }

    private struct Opened {
        let document: DocumentSandbox.Fetched
        let format: Extraction.Format
    }

    private func extract(
        _ opened: Opened, _ pages: any PageKeeping, _ progress: IndexingProgress?
    ) async throws -> ExtractedText {
        var known = opened.format.isReadByTools ? try await pages.find() : []
        let first = try await read(opened, known)
        guard !first.pendingPages.isEmpty else { return first.text }
        let pageCount = known.count + first.pendingPages.count
        let end = ContinuousClock.now + .seconds(sandbox.limits.recognitionSeconds)
        for number in first.pendingPages {
            let leftSeconds = Int((end - .now) / .seconds(1))
            guard leftSeconds > 0 else { throw ExtractionFailure.timedOut }
            await progress?.report(.reading, known.count, of: pageCount)
            let page = try await recognise(
                number, of: opened, wallSeconds: min(leftSeconds, sandbox.limits.wallSeconds))
            try await pages.keep(page)
            known.append(page)
        }
        let whole = try await read(opened, known)
        guard whole.pendingPages.isEmpty else { throw ExtractionFailure.corrupt }
        return whole.text
    }

    private func read(_ opened: Opened, _ known: [PageLayout]) async throws -> ExtractionOutput {
        let output = try await sandbox.run(
            ["extract", opened.format.rawValue], on: opened.document,
            notes: try RecognisedPages.encode(known), wallSeconds: sandbox.limits.wallSeconds,
            outputByteCountMax: sandbox.limits.outputByteCountMax)
        return try ExtractionOutput(decoding: output, limits: sandbox.limits.reading)
    }

    private func recognise(
        _ number: Int, of opened: Opened, wallSeconds: Int
    ) async throws -> PageLayout {
        let output = try await sandbox.run(
            ["recognise", opened.format.rawValue, "\(number)"], on: opened.document,
            wallSeconds: wallSeconds, outputByteCountMax: sandbox.limits.outputByteCountMax)
        guard let page = try RecognisedPages.decode(output).first, page.number == number else {
            throw ExtractionFailure.corrupt
        }
        return page
    }
}

/// What one document may take.
struct ExtractionLimits: Sendable, Hashable {
    var reading = ReadingLimits()
    /// Of reading it, and of recognising one of its pages.
    var wallSeconds = 60
    /// Of recognising all of its pages.
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
struct ExtractionOutput {
    let text: ExtractedText
    /// Pages that have to be recognised before there is a text.
    let pendingPages: [Int]

    private struct Head: Codable {
        let title: String?
        let pendingPages: [Int]
    }

    /// The child had these limits too, but the document may have taken it over.
    init(decoding bytes: [UInt8], limits: ReadingLimits) throws {
        let decoder = JSONDecoder()
        let lineCountMax = limits.blockCountMax + 1
        var lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: lineCountMax)[...]
        guard lines.count <= lineCountMax else { throw ExtractionFailure.tooMuchText }
        let head = try lines.popFirst().map { try decoder.decode(Head.self, from: Data($0)) }
        pendingPages = head?.pendingPages ?? []
        text = ExtractedText(
            title: head?.title,
            blocks: try lines.map { try decoder.decode(TextBlock.self, from: Data($0)) })
    }

    static func encode(_ document: DocumentBlocks) throws -> [UInt8] {
        let encoder = JSONEncoder()
        let head = Head(title: document.title, pendingPages: document.pendingPages)
        var bytes = Array(try encoder.encode(head))
        for block in document.blocks {
            bytes.append(UInt8(ascii: "\n"))
            bytes += try encoder.encode(block)
        }
        return bytes
    }
}

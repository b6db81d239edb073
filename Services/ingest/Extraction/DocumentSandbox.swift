import ChildProcess
import Glibc
import JobQueue
import NIOCore
import ObjectStorage

/// Where documents are opened: each in a child process of our own executable, that finds it in a
/// folder of its own. None of it is ever in our memory as a whole.
struct DocumentSandbox: Sendable {
    let storage: any ObjectStorage
    let executable: String
    let limits: ExtractionLimits

    /// A document that was taken out of storage.
    struct Fetched: Sendable {
        fileprivate let folder: OwnFolder
    }

    /// Takes the document out of storage once, for as many commands as `body` needs.
    func fetching<Value>(
        _ content: IndexableDocument.Content, _ body: (Fetched) async throws -> Value
    ) async throws -> Value {
        let folder = try OwnFolder()
        defer { folder.remove() }
        try await write(content, to: folder.inputPath)
        return try await body(Fetched(folder: folder))
    }

    /// What the command wrote. Throws `ExtractionFailure` for whatever the document did to it.
    ///
    /// - Parameter notes: what earlier commands found out about the document.
    func run(
        _ command: [String], on document: Fetched, notes: [UInt8] = [], wallSeconds: Int,
        outputByteCountMax: Int
    ) async throws -> [UInt8] {
        let folder = try OwnFolder()
        defer { folder.remove() }
        try folder.shareInput(of: document.folder)
        if !notes.isEmpty { try OwnFile(making: folder.notesPath).write(notes) }
        let child = ChildProcess(
            executable: executable,
            arguments: command + ["--limits", try limits.reading.argument],
            limits: limits.child(wallSeconds: wallSeconds), input: .file(path: folder.inputPath),
            outputByteCountMax: outputByteCountMax)
        do {
            return try await child.run(in: folder).stdout
        } catch {
            throw ExtractionFailure(error) as (any Error)? ?? error
        }
    }

    private func write(_ content: IndexableDocument.Content, to path: String) async throws {
        let file = try OwnFile(making: path)
        switch content {
        case .markdown(let text): try file.write(text.utf8)
        case .stored(let key, let byteCount):
            let body = try await storage.get(key: key, range: nil)
            var written = 0
            for try await part in body.bytes {
                written += part.readableBytes
                guard written <= byteCount else {
                    throw JobFailure.giveUp(code: "corrupt", message: "The stored file changed.")
                }
                try file.write(part.readableBytesView)
            }
        }
    }

    /// What a document cannot do there, found by trying.
    func protections() async throws -> Protections {
        let child = ChildProcess(
            executable: executable, arguments: ["sandbox"], limits: limits.child(wallSeconds: 20),
            outputByteCountMax: 4096)
        return try SandboxCommand.decode(try await child.run().stdout)
    }
}

extension ExtractionFailure {
    /// Nil when it was not the document's doing.
    fileprivate init?(_ error: ChildError) {
        switch error {
        case .timedOut, .signalled(SIGXCPU): self = .timedOut
        case .outputTooLarge: self = .tooMuchText
        case .signalled: self = .tooLarge
        case .exited(let status, _):
            guard let failure = ExtractionFailure(rawValue: status) else { return nil }
            self = failure
        case .notStarted, .cancelled: return nil
        }
    }
}

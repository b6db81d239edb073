/// Pages as pictures: `ingest render`, in the sandbox, a few at a time.
struct PageRenderer: Sendable {
    let sandbox: DocumentSandbox
    private let turns: Turns

    /// A page takes a fraction of a second; whoever looks is waiting.
    private static let wallSeconds = 20

    init(sandbox: DocumentSandbox, concurrency: Int) {
        self.sandbox = sandbox
        turns = Turns(count: concurrency)
    }

    /// Throws `ExtractionFailure` for what the document does not let itself be drawn for.
    ///
    /// - Parameter page: 1-based.
    func render(
        _ page: Int, of content: IndexableDocument.Content, as format: Extraction.Format
    ) async throws -> RenderedPage {
        try await turns.take()
        let output: [UInt8]
        do {
            output = try await sandbox.fetching(content) { document in
                try await sandbox.run(
                    ["render", format.rawValue, "\(page)"], on: document,
                    wallSeconds: Self.wallSeconds, outputByteCountMax: RenderedPage.byteCountMax)
            }
        } catch {
            await turns.giveBack()
            throw error
        }
        await turns.giveBack()
        guard let rendered = RenderedPage(output) else { throw ExtractionFailure.corrupt }
        return rendered
    }
}

/// A fixed number of turns, given out in the order of asking.
actor Turns {
    struct AllWaiting: Error {}

    private static let waitingCountMax = 64

    private var freeCount: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(count: Int) { freeCount = count }

    /// Whoever takes one gives it back. One whose asker has gone meanwhile is given all the same.
    func take() async throws(AllWaiting) {
        if freeCount > 0 {
            freeCount -= 1
            return
        }
        guard waiting.count < Self.waitingCountMax else { throw AllWaiting() }
        await withCheckedContinuation { waiting.append($0) }
    }

    func giveBack() {
        if waiting.isEmpty {
            freeCount += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}

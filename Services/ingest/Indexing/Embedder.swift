import Database
import Domain
import ModelEndpoint
import Postgres

/// Vectors of texts, from Postgres where they were made before, else from the model.
///
/// What the model made is kept batch by batch, so that work cut short goes on where it stopped.
struct Embedder: Sendable {
    struct Text: Sendable, Hashable {
        let hash: [UInt8]
        let text: String
    }

    let pool: PostgresPool
    let queue: EmbeddingQueue

    /// Those texts that do not fit the model's window, by the endpoint's own count. All others are
    /// in the embeddings table afterwards.
    func embed(
        _ texts: [Text], owner: Owner, index: IndexDescription, _ progress: IndexingProgress? = nil
    ) async throws -> Set<[UInt8]> {
        var tooLong: Set<[UInt8]> = []
        for start in stride(from: 0, to: texts.count, by: Self.lookupSize) {
            let slice = Array(texts[start..<min(start + Self.lookupSize, texts.count)])
            let found = try await find(slice, owner: owner, index: index)
            var seen: Set<[UInt8]> = []
            let missing = slice.filter {
                found[hexadecimal($0.hash)] == nil && seen.insert($0.hash).inserted
            }
            let refused = try await embed(missing: missing, owner: owner, index: index) {
                leftCount in
                await progress?.report(
                    .embedding, start + slice.count - leftCount, of: texts.count)
            }
            tooLong.formUnion(refused)
        }
        return tooLong
    }

    /// The vectors of texts that fit, by the hash in hexadecimal.
    func find(
        _ texts: [Text], owner: Owner, index: IndexDescription
    ) async throws -> [String: [Float]] {
        let hashes = texts.map(\.hash)
        return try await pool.read { session in
            try EmbeddingStore(session).find(
                hashes, owner: owner, modelFingerprint: index.modelFingerprint)
        }
    }

    /// Hashes in one query.
    private static let lookupSize = 500

    /// A batch of them at a time in each of the queue's places, kept when it is done: what is cut
    /// short here is no more than what is under way.
    private func embed(
        missing texts: [Text], owner: Owner, index: IndexDescription,
        whenLeft tell: (Int) async -> Void
    ) async throws -> Set<[UInt8]> {
        var rest = texts[...]
        var leftCount = texts.count
        func next() -> [Text]? {
            defer { rest = rest.dropFirst(queue.batchSize) }
            return rest.isEmpty ? nil : Array(rest.prefix(queue.batchSize))
        }
        return try await withThrowingTaskGroup(of: [Text].self) { group in
            var tooLong: Set<[UInt8]> = []
            for _ in 0..<queue.concurrency {
                guard let batch = next() else { break }
                group.addTask { try await prove(batch, owner: owner, index: index) }
            }
            while let refused = try await group.next() {
                tooLong.formUnion(refused.map(\.hash))
                if let batch = next() {
                    group.addTask { try await prove(batch, owner: owner, index: index) }
                }
                leftCount = max(0, leftCount - queue.batchSize)
                await tell(leftCount)
            }
            return tooLong
        }
    }

    /// Together with other documents' texts first; those whose own count that does not tell, again,
    /// each alone.
    private func prove(
        _ texts: [Text], owner: Owner, index: IndexDescription
    ) async throws -> [Text] {
        let unproved = try await embed(texts, alone: false, owner: owner, index: index)
        return try await embed(unproved, alone: true, owner: owner, index: index)
    }

    /// Those that are not proved to fit the window. Of a text alone the count is exact: a model that
    /// cuts says that its window is full, one that does not says by how much it is passed.
    private func embed(
        _ texts: [Text], alone: Bool, owner: Owner, index: IndexDescription
    ) async throws -> [Text] {
        let window = Chunking.windowTokenCount(of: index.chunkingVersion) ?? Chunking.defaultWindow
        let outcomes = try await queue.embed(
            texts.map(\.text), model: index.passageModel, dimensionCount: index.dimensionCount,
            namesSize: index.namesSize, alone: alone)
        var proved: [(Text, [Float])] = []
        var unproved: [Text] = []
        for (text, outcome) in zip(texts, outcomes) {
            if case .vector(let vector, let tokenCountMax) = outcome, tokenCountMax < window {
                proved.append((text, vector))
            } else {
                unproved.append(text)
            }
        }
        try await keep(proved, owner: owner, index: index)
        return unproved
    }

    private func keep(
        _ made: [(Text, [Float])], owner: Owner, index: IndexDescription
    ) async throws {
        guard !made.isEmpty else { return }
        try await pool.transaction { transaction in
            for (text, vector) in made {
                try EmbeddingStore(transaction).insert(
                    vector, hash: text.hash, owner: owner,
                    modelFingerprint: index.modelFingerprint)
            }
        }
    }
}

/// What a batch's token count says about each of its texts.
enum WindowProof {
    /// At most so many tokens each: the batch's count without what the others take at least, a
    /// token for every word. An endpoint that counts nothing proves nothing and refutes nothing.
    static func bounds(of texts: [String], promptTokenCount: Int) -> [Int] {
        let least = texts.map { $0.split(whereSeparator: \.isWhitespace).count }
        let sum = least.reduce(0, +)
        return least.map { promptTokenCount - (sum - $0) }
    }
}

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
    let models: ModelEndpoint
    /// Of one request to the model.
    let batchSize: Int

    /// For one batch: a slow model on one core takes a second for a passage.
    private static let deadline = Duration.seconds(60)

    /// Those texts that do not fit the model's window, by the endpoint's own count. All others are
    /// in the embeddings table afterwards.
    func embed(_ texts: [Text], owner: Owner, index: IndexDescription) async throws -> Set<[UInt8]>
    {
        var tooLong: Set<[UInt8]> = []
        for start in stride(from: 0, to: texts.count, by: Self.lookupSize) {
            let slice = Array(texts[start..<min(start + Self.lookupSize, texts.count)])
            let found = try await find(slice, owner: owner, index: index)
            var seen: Set<[UInt8]> = []
            let missing = slice.filter {
                found[hexadecimal($0.hash)] == nil && seen.insert($0.hash).inserted
            }
            for batchStart in stride(from: 0, to: missing.count, by: batchSize) {
                let batch = missing[batchStart..<min(batchStart + batchSize, missing.count)]
                tooLong.formUnion(try await embed(batch: Array(batch), owner: owner, index: index))
            }
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

    private func embed(
        batch: [Text], owner: Owner, index: IndexDescription
    ) async throws -> Set<[UInt8]> {
        let window = Chunking.windowTokenCount(of: index.chunkingVersion) ?? Chunking.defaultWindow
        guard let embeddings = try await ask(batch, index) else {
            if batch.count == 1 { return [batch[0].hash] }
            return try await embedEach(batch, owner: owner, index: index)
        }
        let bounds = WindowProof.bounds(
            of: batch.map(\.text), promptTokenCount: embeddings.promptTokenCount)
        var proved: [(Text, [Float])] = []
        var unproved: [Text] = []
        for (position, text) in batch.enumerated() {
            if bounds[position] < window {
                proved.append((text, embeddings.vectors[position]))
            } else {
                unproved.append(text)
            }
        }
        try await keep(proved, owner: owner, index: index)
        // Of one text the count is exact: a model that cuts says that its window is full, one that
        // does not says by how much it is passed.
        if batch.count == 1 { return Set(unproved.map(\.hash)) }
        return try await embedEach(unproved, owner: owner, index: index)
    }

    /// Nil when the endpoint says that it is too long.
    private func ask(_ batch: [Text], _ index: IndexDescription) async throws -> Embeddings? {
        do {
            return try await models.embed(
                batch.map(\.text), as: .passage, model: index.passageModel,
                expecting: index.dimensionCount, deadline: Self.deadline)
        } catch {
            if error == .tooLong { return nil }
            throw error
        }
    }

    /// One by one, each with a count of its own.
    private func embedEach(
        _ texts: [Text], owner: Owner, index: IndexDescription
    ) async throws -> Set<[UInt8]> {
        var tooLong: Set<[UInt8]> = []
        for text in texts {
            tooLong.formUnion(try await embed(batch: [text], owner: owner, index: index))
        }
        return tooLong
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

import ModelEndpoint

/// What one document wants embedded.
struct EmbeddingAsk {
    let texts: [String]
    let model: String
    let dimensionCount: Int
    let namesSize: Bool?
    let isAlone: Bool
    /// The first text that was not yet sent.
    var sentCount = 0
    var outcomes: [Int: EmbeddingQueue.Outcome] = [:]

    func goes(with other: EmbeddingAsk) -> Bool {
        model == other.model && dimensionCount == other.dimensionCount
            && namesSize == other.namesSize && !isAlone && !other.isAlone
    }
}

/// Texts sent together, and whose they are.
struct EmbeddingBatch {
    let model: String
    let dimensionCount: Int
    let namesSize: Bool?
    var texts: [String] = []
    var places: [(ask: Int, index: Int)] = []
}

/// Who waits for what. Guarded by the queue's lock; continuations are resumed outside it.
struct EmbeddingQueueState {
    typealias Waiting = CheckedContinuation<Result<[EmbeddingQueue.Outcome], ModelError>, Never>
    typealias Ended = [(Waiting, Result<[EmbeddingQueue.Outcome], ModelError>)]

    private var asks: [Int: (ask: EmbeddingAsk, waiting: Waiting)] = [:]
    /// Those with texts to send, in the order of their turns.
    private var turns: [Int] = []
    private var nextID = 0
    private var sentBatchCount = 0
    private var pausedUntil: ContinuousClock.Instant?
    private var isClosed = false

    mutating func makeID() -> Int {
        nextID += 1
        return nextID
    }

    /// Why it is not taken, or nil.
    mutating func add(_ ask: EmbeddingAsk, id: Int, _ waiting: Waiting) -> ModelError? {
        if isClosed { return .cancelled }
        if let pausedUntil {
            let rest = pausedUntil - .now
            if rest > .zero { return .rateLimited(retryAfter: rest) }
            self.pausedUntil = nil
        }
        asks[id] = (ask, waiting)
        turns.append(id)
        return nil
    }

    mutating func remove(_ id: Int) -> Waiting? {
        turns.removeAll { $0 == id }
        return asks.removeValue(forKey: id)?.waiting
    }

    /// A text of each ask in turn, until the batch is full: a small document does not wait behind
    /// all of a large one.
    mutating func takeBatch(size: Int, concurrency: Int) -> EmbeddingBatch? {
        guard sentBatchCount < concurrency, let first = turns.first, let leader = asks[first]?.ask
        else { return nil }
        var batch = EmbeddingBatch(
            model: leader.model, dimensionCount: leader.dimensionCount,
            namesSize: leader.namesSize)
        let sizeMax = leader.isAlone ? 1 : size
        var passed: [Int] = []
        while batch.texts.count < sizeMax, let id = turns.first {
            turns.removeFirst()
            guard let ask = asks[id]?.ask, id == first || ask.goes(with: leader) else {
                passed.append(id)
                continue
            }
            batch.texts.append(ask.texts[ask.sentCount])
            batch.places.append((id, ask.sentCount))
            asks[id]?.ask.sentCount += 1
            if ask.sentCount + 1 < ask.texts.count { turns.append(id) }
        }
        turns = passed + turns
        sentBatchCount += 1
        return batch
    }

    /// Those whose last text this was, and those it failed.
    mutating func finish(
        _ batch: EmbeddingBatch, _ result: Result<Embeddings, ModelError>, pause: Duration?
    ) -> Ended {
        sentBatchCount -= 1
        if let pause { pausedUntil = .now + pause }
        switch result {
        case .success(let embeddings):
            let bounds = WindowProof.bounds(
                of: batch.texts, promptTokenCount: embeddings.promptTokenCount)
            for (position, place) in batch.places.enumerated() {
                asks[place.ask]?.ask.outcomes[place.index] = .vector(
                    embeddings.vectors[position], tokenCountMax: bounds[position])
            }
        case .failure(.tooLong):
            for place in batch.places { asks[place.ask]?.ask.outcomes[place.index] = .refused }
        case .failure(let error):
            // During a pause nobody's texts are sent, so all who wait are told.
            let failed = pause == nil ? Set(batch.places.map(\.ask)) : Set(asks.keys)
            return failed.compactMap { id in remove(id).map { ($0, .failure(error)) } }
        }
        return Set(batch.places.map(\.ask)).compactMap { id in
            guard let ask = asks[id]?.ask, ask.outcomes.count == ask.texts.count else { return nil }
            let outcomes = ask.texts.indices.compactMap { ask.outcomes[$0] }
            return remove(id).map { ($0, .success(outcomes)) }
        }
    }

    /// Nobody is waited for any more.
    mutating func close() {
        isClosed = true
        for id in asks.keys.sorted() { remove(id)?.resume(returning: .failure(.cancelled)) }
    }
}

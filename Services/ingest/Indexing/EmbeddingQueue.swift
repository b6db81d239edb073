import Logging
import ModelEndpoint
import ServiceLifecycle
import Synchronization

/// Texts of all the documents being indexed, on their way to the embedding model: in full batches,
/// several at a time, every document getting its turn in each batch.
///
/// When the endpoint says that it gets too many requests, nothing is sent until the time it names:
/// whoever asks meanwhile is told, and comes again with his job.
final class EmbeddingQueue: Service {
    /// How a text fared.
    enum Outcome: Sendable {
        /// It takes at most so many tokens, by the endpoint's own count.
        case vector([Float], tokenCountMax: Int)
        /// The endpoint refused the batch it was in for its length.
        case refused
    }

    /// Texts of one request to the model.
    let batchSize: Int
    /// Requests at a time.
    let concurrency: Int
    private let models: ModelEndpoint
    private let logger: Logger
    private let state = Mutex(EmbeddingQueueState())
    private let wakeups: AsyncStream<Void>
    private let wakeup: AsyncStream<Void>.Continuation

    /// For one batch: a slow model on one core takes a second for a passage.
    private static let deadline = Duration.seconds(60)
    /// An endpoint that names no time, or one that makes no sense.
    private static let pauses = (least: Duration.seconds(1), most: Duration.seconds(120))

    init(models: ModelEndpoint, batchSize: Int, concurrency: Int, logger: Logger) {
        self.models = models
        self.batchSize = max(1, batchSize)
        self.concurrency = max(1, concurrency)
        self.logger = logger
        (wakeups, wakeup) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func run() async throws {
        await withDiscardingTaskGroup { group in
            for await _ in wakeups.cancelOnGracefulShutdown() {
                while let batch = nextBatch() { group.addTask { await self.send(batch) } }
            }
            group.cancelAll()
        }
        state.withLock { $0.close() }
    }

    /// The outcomes in the order of the texts. `alone` sends each by itself, so that the
    /// endpoint's count is its own.
    func embed(
        _ texts: [String], model: String, dimensionCount: Int, namesSize: Bool? = nil,
        alone: Bool = false
    ) async throws(ModelError) -> [Outcome] {
        if texts.isEmpty { return [] }
        let ask = EmbeddingAsk(
            texts: texts, model: model, dimensionCount: dimensionCount, namesSize: namesSize,
            isAlone: alone)
        let id = state.withLock { $0.makeID() }
        let result: Result<[Outcome], ModelError> = await withTaskCancellationHandler {
            await withCheckedContinuation { waiting in
                let refusal = state.withLock { state -> ModelError? in
                    if Task.isCancelled { return .cancelled }
                    return state.add(ask, id: id, waiting)
                }
                if let refusal { waiting.resume(returning: .failure(refusal)) }
                wakeup.yield()
            }
        } onCancel: {
            state.withLock { $0.remove(id) }?.resume(returning: .failure(.cancelled))
        }
        return try result.get()
    }

    private func nextBatch() -> EmbeddingBatch? {
        state.withLock { $0.takeBatch(size: batchSize, concurrency: concurrency) }
    }

    private func send(_ batch: EmbeddingBatch) async {
        let result: Result<Embeddings, ModelError>
        do {
            result = .success(
                try await models.embed(
                    batch.texts, as: .passage, model: batch.model,
                    expecting: batch.dimensionCount, namesSize: batch.namesSize,
                    deadline: Self.deadline))
        } catch {
            result = .failure(error)
        }
        let ended = state.withLock { $0.finish(batch, result, pause: pause(result)) }
        for (waiting, result) in ended { waiting.resume(returning: result) }
        wakeup.yield()
    }

    private func pause(_ result: Result<Embeddings, ModelError>) -> Duration? {
        guard case .failure(.rateLimited(let retryAfter)) = result else { return nil }
        let pause = min(max(retryAfter ?? .seconds(5), Self.pauses.least), Self.pauses.most)
        logger.warning(
            "embedding endpoint gets too many requests",
            metadata: ["pause.seconds": "\(pause / .seconds(1))"])
        return pause
    }
}

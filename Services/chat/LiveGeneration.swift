import Database
import Domain
import Logging
import Postgres
import Qdrant
import ServiceLifecycle
import Synchronization

/// The generation that questions go to, as this replica knows it.
///
/// It polls, a notification only makes it look sooner. Its heartbeat tells the others which
/// generation is still asked here, so that no collection is dropped under a running search.
final class LiveGeneration: Service {
    private struct State {
        var generation: Generation?
        var reloadSequence: Int?
    }

    private let pool: PostgresPool
    private let listener: PostgresListener
    private let qdrant: Qdrant
    private let replica: String
    private let logger: Logger
    private let state = Mutex(State())

    private static let pollInterval: Duration = .seconds(5)

    init(
        pool: PostgresPool, listener: PostgresListener, qdrant: Qdrant, replica: String,
        logger: Logger
    ) {
        self.pool = pool
        self.listener = listener
        self.qdrant = qdrant
        self.replica = replica
        self.logger = logger
    }

    /// Nil until something was ever indexed: then there is nothing to find. Looked up at once when
    /// none is known, so that the first upload of a deployment answers the next question.
    func current() async -> Generation? {
        if let known { return known }
        await look()
        return known
    }

    private var known: Generation? { state.withLock { $0.generation } }

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.watch() }
        do {
            try await pool.read { try ChatReplicaStore($0).delete(self.replica) }
        } catch {
            logger.info("replica leaves without saying so", metadata: ["error": "\(error)"])
        }
    }

    private func watch() async {
        let (rings, bell) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in self.listener.notifications(on: Channel.generations) { bell.yield() }
            }
            group.addTask {
                // Cancellation ends the sleep and with it the loop.
                while !Task.isCancelled {
                    bell.yield()
                    do { try await Task.sleep(for: Self.pollInterval) } catch { return }
                }
            }
            for await _ in rings { await look() }
            group.cancelAll()
        }
    }

    /// Reads the live generation, carries out a reload that was asked for, and says so.
    func look() async {
        do {
            let (live, request) = try await pool.read { session in
                (
                    try GenerationStore(session).live(),
                    try ChatReplicaStore(session).lastReloadRequest()
                )
            }
            guard let live else { return state.withLock { $0.generation = nil } }
            let known = state.withLock { $0 }
            var carriedOut = known.reloadSequence ?? request
            if request > carriedOut, await isThere(live) { carriedOut = request }
            if known.generation?.number != live.number {
                logger.info(
                    "questions go to another generation",
                    metadata: ["generation.number": "\(live.number)"])
            }
            let reloadSequence = carriedOut
            state.withLock { $0 = State(generation: live, reloadSequence: reloadSequence) }
            try await pool.read { session in
                try ChatReplicaStore(session).beat(
                    self.replica, generation: live.number, reloadSequence: reloadSequence)
            }
        } catch {
            logger.warning(
                "live generation could not be read", metadata: ["error": "\(error)"])
        }
    }

    private func isThere(_ generation: Generation) async -> Bool {
        do {
            guard let found = try await qdrant.collectionDescription(generation.collection) else {
                return false
            }
            return found.vectorSize == generation.index.dimensionCount
        } catch {
            logger.warning(
                "collection could not be verified",
                metadata: ["generation.number": "\(generation.number)", "error": "\(error)"])
            return false
        }
    }
}

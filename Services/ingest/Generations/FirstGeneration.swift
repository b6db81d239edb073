import Database
import Domain
import Logging
import ModelEndpoint
import Postgres
import Qdrant
import Retrieval
import ServiceLifecycle

/// Sees to it that there is a live generation with a collection, so that there is something to
/// index into. Ends when there is; goes on trying while Postgres or the engine is away.
struct FirstGeneration: Service {
    let pool: PostgresPool
    let qdrant: Qdrant
    let models: ModelEndpoint
    let index: IndexSettings
    let succession: GenerationSuccession
    /// `QDRANT_COLLECTION`: what the names of collections begin with.
    let collectionBase: String
    let logger: Logger

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            var pause = Duration.milliseconds(200)
            while !Task.isCancelled {
                do {
                    try await ensure()
                    break
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning(
                        "index generation is not ready yet", metadata: ["reason": "\(error)"])
                    try await Task.sleep(for: pause)
                    pause = min(pause * 2, .seconds(5))
                }
            }
        }
        // A service that returns early would end the group.
        try await gracefulShutdown()
    }

    func ensure() async throws {
        // What is live needs no word of the model that the settings name now.
        if let live = try await pool.read({ try GenerationStore($0).live() }) {
            try await prepare(live)
            tell(live, try await index.description(asking: models))
            return
        }
        let description = try await index.description(asking: models)
        let live = try await pool.transaction { transaction in
            let live = try GenerationStore(transaction).ensureLive(
                description, collectionBase: collectionBase)
            try transaction.notify(Channel.generations, String(live.number))
            return live
        }
        try await prepare(live)
    }

    private func prepare(_ live: Generation) async throws {
        try await qdrant.ensureCollection(
            live.collection, dimensionCount: live.index.dimensionCount)
        try await succession.moveAlias()
    }

    private func tell(_ live: Generation, _ description: IndexDescription) {
        if live.index.fingerprint != description.fingerprint {
            logger.warning(
                """
                the settings describe another index than the live one, which goes on with the \
                models it was made with; POST /admin/ingest {"all": true} builds the other
                """,
                metadata: [
                    "generation.number": "\(live.number)",
                    "generation.fingerprint":
                        "\(live.index.fingerprint)",
                    "settings.fingerprint": "\(description.fingerprint)",
                ])
        }
    }
}

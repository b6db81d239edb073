import Database
import Domain
import Logging
import Postgres
import Qdrant
import ServiceLifecycle

/// Takes back what a worker wrote after it had lost its lease, paused for a minute perhaps: if the
/// document was deleted meanwhile, its erasure may have counted its points before.
///
/// A handler that has lost its lease is cancelled, so that it cannot do this itself.
final class LateWrites: Service, Sendable {
    private let pool: PostgresPool
    private let points: PointErasure
    private let logger: Logger
    private let documents: AsyncStream<Document.ID>
    private let source: AsyncStream<Document.ID>.Continuation

    /// The oldest are dropped beyond this; comparing the stores finds what they left.
    private static let waitingCountMax = 10_000

    init(pool: PostgresPool, points: PointErasure, logger: Logger) {
        self.pool = pool
        self.points = points
        self.logger = logger
        (documents, source) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingNewest(Self.waitingCountMax))
    }

    /// An indexing of it ended without having shown it.
    func check(_ document: Document.ID) { source.yield(document) }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await document in self.documents { await self.erase(document) }
        }
    }

    private func erase(_ document: Document.ID) async {
        do {
            let isAlive = try await pool.read { try DocumentStore($0).find(document) != nil }
            if !isAlive { _ = try await points.erase(document) }
        } catch {
            logger.warning(
                "late points may remain until the stores are compared",
                metadata: ["document.id": "\(document)", "reason": "\(error)"])
        }
    }
}

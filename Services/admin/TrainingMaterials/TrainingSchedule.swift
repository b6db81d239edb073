import Domain
import Git
import Logging
import ServiceLifecycle

/// Syncs by itself: at start (`TRAINING_MATERIALS_SYNC_ON_START`), and every so often
/// (`TRAINING_MATERIALS_SYNC_SECONDS`).
struct TrainingSchedule: Service {
    let materials: TrainingMaterials
    let syncsOnStart: Bool
    /// Nil is never.
    let intervalSeconds: Int?
    let logger: Logger

    /// About ten minutes of trying: the database or the remote may come up later than we.
    private static let attemptCountMax = 10

    func run() async throws {
        await cancelWhenGracefulShutdown {
            if syncsOnStart { await syncUntilDone() }
            if let intervalSeconds { await syncRegularly(intervalSeconds) }
        }
        // A service that returns early would end the group.
        try await gracefulShutdown()
    }

    private func syncUntilDone() async {
        var pause = Duration.seconds(2)
        for _ in 0..<Self.attemptCountMax {
            if await sync(by: .start) { return }
            // Cancelled: the next attempt ends at once.
            try? await Task.sleep(for: pause)
            if Task.isCancelled { return }
            pause = min(pause * 2, .seconds(120))
        }
        logger.error("training materials were not synced at start")
    }

    /// Every replica looks; one that finds that another has just synced leaves it at that.
    private func syncRegularly(_ seconds: Int) async {
        while !Task.isCancelled {
            // A little apart, so that replicas that started together do not all ask the remote.
            let pause = Double(seconds) * Double.random(in: 1...1.1)
            // Cancelled: the loop's condition ends it.
            try? await Task.sleep(for: .seconds(pause))
            if Task.isCancelled { return }
            do {
                if try await materials.wasSynced(withinSeconds: seconds / 2) { continue }
            } catch {
                logger.warning(
                    "cannot find out when training materials were synced",
                    metadata: ["reason": "\(error)"])
                continue
            }
            _ = await sync(by: .schedule)
        }
    }

    /// False when it is to be tried again.
    private func sync(by author: AuditAuthor) async -> Bool {
        do {
            // Ours waits for nobody: the workers go on by themselves.
            let report = try await materials.sync(to: nil, by: author, waitMax: .zero)
            logger.info(
                "training materials synced by themselves",
                metadata: ["sync.status": "\(report.status)", "sync.author": "\(author.actor)"])
            return true
        } catch TrainingFailure.isRunning {
            // Another replica does it.
            return true
        } catch is CancellationError {
            return true
        } catch {
            logger.warning(
                "training materials are not synced yet", metadata: ["reason": "\(error)"])
            return false
        }
    }
}

import Domain
import Git
import Logging
import ServiceLifecycle

/// `TRAINING_MATERIALS_SYNC_ON_START`: one sync in the background, tried a few times.
struct TrainingSyncAtStart: Service {
    let materials: TrainingMaterials
    let logger: Logger

    /// About ten minutes of trying: the database or the remote may come up later than we.
    private static let attemptCountMax = 10

    func run() async throws {
        await cancelWhenGracefulShutdown { await sync() }
        // A service that returns early would end the group.
        try await gracefulShutdown()
    }

    private func sync() async {
        var pause = Duration.seconds(2)
        for _ in 0..<Self.attemptCountMax {
            do {
                // Ours waits for nobody: the workers go on by themselves.
                let report = try await materials.sync(to: nil, by: .start, waitMax: .zero)
                logger.info(
                    "training materials synced at start",
                    metadata: ["sync.status": "\(report.status)"])
                return
            } catch TrainingFailure.isRunning {
                // Another replica does it.
                return
            } catch is CancellationError {
                return
            } catch {
                logger.warning(
                    "training materials are not synced yet", metadata: ["reason": "\(error)"])
            }
            // Cancelled: the next attempt ends at once.
            try? await Task.sleep(for: pause)
            if Task.isCancelled { return }
            pause = min(pause * 2, .seconds(120))
        }
        logger.error("training materials were not synced at start")
    }
}

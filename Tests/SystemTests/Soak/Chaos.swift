import Foundation
import Synchronization
import TestSupport

/// Breaks the parts of a deployment one after the other, at random moments, and mends them again.
final class Chaos: Sendable {
    enum Blow: CaseIterable, Sendable {
        case killWorker, pauseWorker, cutConnections, killEngine, hideFiles
    }

    /// What was done, by kind.
    struct Tally: Sendable {
        var counts: [Blow: Int] = [:]
        var paused: [RunningProcess] = []
    }

    private let deployment: Deployment
    private let engine: VectorEngine
    private let workers: Mutex<[RunningProcess]>
    private let state = Mutex(Tally())
    /// Of those that stand still at once: each has taken memory.
    private static let pausedCountMax = 2

    init(_ deployment: Deployment, engine: VectorEngine, workerCount: Int) throws {
        self.deployment = deployment
        self.engine = engine
        workers = Mutex(try (0..<workerCount).map { _ in try deployment.startWorker() })
    }

    var tally: Tally { state.withLock { $0 } }

    /// Until told to stop, or the time is over. Each kind comes once at first, in random order; then
    /// killing workers is what happens most.
    func rage(
        using generator: inout SeededGenerator, atMost limit: Duration,
        until isOver: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + limit
        var first = Blow.allCases.shuffled(using: &generator)
        while ContinuousClock.now < end {
            if try await isOver() { return }
            let random = [Blow.killWorker, .killWorker] + Blow.allCases
            let blow = first.popLast() ?? random.randomElement(using: &generator) ?? .killWorker
            let isOneMorePaused = blow == .pauseWorker && tally.paused.count >= Self.pausedCountMax
            let struck = isOneMorePaused ? .killWorker : blow
            try await strike(struck, &generator)
            state.withLock { $0.counts[struck, default: 0] += 1 }
            try await pause(0.2...2, &generator)
        }
    }

    /// Those that stood still go on, and one that could not start is started again.
    func mend() throws {
        for worker in tally.paused { worker.resume() }
        try workers.withLock { workers in
            for index in workers.indices where !workers[index].isRunning {
                workers[index] = try deployment.startWorker()
            }
        }
    }

    private func strike(_ blow: Blow, _ generator: inout SeededGenerator) async throws {
        switch blow {
        case .killWorker: try await replaceWorker(&generator) { $0.kill9() }
        case .pauseWorker:
            try await replaceWorker(&generator) { worker in
                worker.pause()
                state.withLock { $0.paused.append(worker) }
            }
        case .cutConnections: try await cutConnections(of: deployment)
        case .killEngine:
            engine.kill()
            try await pause(0.5...3, &generator)
            try await engine.start()
        case .hideFiles:
            // One that starts meanwhile would make an empty folder in its place.
            for worker in workers.withLock({ $0 }) {
                try await eventually { worker.hasStartedOrEnded }
            }
            let files = deployment.folder + "/uploads"
            try FileManager.default.moveItem(atPath: files, toPath: files + ".away")
            try await pause(0.5...3, &generator)
            try FileManager.default.moveItem(atPath: files + ".away", toPath: files)
        }
    }

    /// One that is starting is let start: else nobody might ever come to work.
    private func replaceWorker(
        _ generator: inout SeededGenerator, _ end: (RunningProcess) -> Void
    ) async throws {
        let standing = workers.withLock { $0 }
        let index = standing.indices.randomElement(using: &generator) ?? 0
        try await eventually { standing[index].hasStartedOrEnded }
        let fresh = try deployment.startWorker()
        workers.withLock { $0[index] = fresh }
        end(standing[index])
    }

    /// The moment is the point here: nothing is waited for.
    private func pause(
        _ seconds: ClosedRange<Double>, _ generator: inout SeededGenerator
    ) async throws {
        try await Task.sleep(for: .seconds(Double.random(in: seconds, using: &generator)))
    }
}

import Foundation
import Synchronization
import TestSupport

/// Processes that are killed one by one at random moments, and started again at the same address.
final class Downfall: Sendable {
    private let deployment: Deployment
    private let running: Mutex<[RunningProcess]>
    private let killed = Mutex<[String: Int]>([:])

    init(_ deployment: Deployment, of processes: [RunningProcess]) {
        self.deployment = deployment
        running = Mutex(processes)
    }

    /// By name.
    var counts: [String: Int] { killed.withLock { $0 } }
    var processes: [RunningProcess] { running.withLock { $0 } }

    /// Each once at first, in random order, then any.
    func rage(using generator: inout SeededGenerator, count: Int) async throws {
        var order = Array(processes.indices).shuffled(using: &generator)
        for _ in 0..<count {
            let index =
                order.popLast() ?? processes.indices.randomElement(using: &generator) ?? 0
            let old = processes[index]
            old.kill9()
            // The moment is the point here: nothing is waited for.
            try await Task.sleep(
                for: .milliseconds(Int.random(in: 50...400, using: &generator)))
            let fresh = try deployment.startAgain(old)
            running.withLock { $0[index] = fresh }
            killed.withLock { $0[old.name, default: 0] += 1 }
            try await Task.sleep(
                for: .milliseconds(Int.random(in: 300...1500, using: &generator)))
        }
    }
}

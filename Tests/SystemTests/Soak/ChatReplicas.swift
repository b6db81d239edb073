import Synchronization
import TestSupport

/// Several chat processes, each behind a gateway of its own, of which one dies now and then.
final class ChatReplicas: Sendable {
    private let deployment: Deployment
    private let first: Deployment.Replica
    private let running: Mutex<[Deployment.Replica]>
    private let killed = Mutex(0)

    init(_ deployment: Deployment, beside first: Deployment.Replica, count: Int) async throws {
        self.deployment = deployment
        self.first = first
        var replicas: [Deployment.Replica] = []
        for _ in 0..<count { replicas.append(try await deployment.startChat(beside: first)) }
        running = Mutex(replicas)
    }

    var killedCount: Int { killed.withLock { $0 } }

    func random(using generator: inout SeededGenerator) -> Deployment.Replica {
        let replicas = running.withLock { $0 }
        return replicas.randomElement(using: &generator) ?? first
    }

    /// As its machine dies: without a word, in the middle of whatever it writes. Another takes its place.
    func kill(using generator: inout SeededGenerator) async throws {
        let fresh = try await deployment.startChat(beside: first)
        let old = running.withLock { replicas in
            let index = replicas.indices.randomElement(using: &generator) ?? 0
            defer { replicas[index] = fresh }
            return replicas[index]
        }
        old.chat.kill9()
        killed.withLock { $0 += 1 }
        // Its gateway is left for those who still wait behind it to be told.
        try await Task.sleep(for: .seconds(1))
        old.gateway.kill9()
    }
}

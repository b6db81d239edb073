import Synchronization

/// The replicas that each service has now.
final class ReplicaDirectory: Sendable {
    /// Changes with the list of any service, so that event loops need no lock to see that none has.
    private let versionCounter = Atomic(0)
    private let replicas: Mutex<[Upstream: [ReplicaState]]>
    let configured: [Upstream: [ReplicaAddress]]

    /// Addresses are there at once; names have to be resolved.
    init(_ configured: [Upstream: [ReplicaAddress]]) {
        self.configured = configured
        replicas = Mutex(
            configured.mapValues { addresses in
                addresses.compactMap { one in
                    IPAddress(one.host).map {
                        ReplicaState(authority: one.authority, address: $0, port: one.port)
                    }
                }
            })
    }

    var version: Int { versionCounter.load(ordering: .acquiring) }
    var all: [Upstream: [ReplicaState]] { replicas.withLock { $0 } }

    /// Those of a service at one configured address: what came and what went.
    func set(
        _ addresses: [IPAddress], of name: ReplicaAddress, _ upstream: Upstream
    ) -> (added: [ReplicaState], removed: [ReplicaState]) {
        replicas.withLock { replicas in
            let others = (replicas[upstream] ?? []).filter { $0.authority != name.authority }
            let before = (replicas[upstream] ?? []).filter { $0.authority == name.authority }
            let removed = before.filter { !addresses.contains($0.address) }
            let added = addresses.filter { address in !before.contains { $0.address == address } }
                .map { ReplicaState(authority: name.authority, address: $0, port: name.port) }
            guard !added.isEmpty || !removed.isEmpty else { return ([], []) }
            let kept = before.filter { addresses.contains($0.address) }
            replicas[upstream] = others + kept + added
            for replica in removed { replica.remove() }
            versionCounter.add(1, ordering: .releasing)
            return (added, removed)
        }
    }
}

import Logging
import NIOHTTP1
import OutboundHTTP
import ServiceLifecycle

/// Looks after the replicas: where the services' names lead, and who is ready.
struct ReplicaWatch: Service {
    /// More addresses of one name are not used.
    private static let addressCountMax = 64
    private static let deadline: Duration = .seconds(3)
    private static let answerByteCountMax = 64 * 1024

    let directory: ReplicaDirectory
    let interval: Duration
    let http: OutboundHTTP
    let logger: Logger
    var resolve: NameResolver = resolveBySystem

    /// A name that takes long holds up no other.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for (upstream, name) in names {
                group.addTask { await forever { await resolve(name, upstream) } }
            }
            group.addTask { await forever(checkAll) }
        }
    }

    private func forever(_ work: @escaping @Sendable () async -> Void) async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await work()
                // Only cancellation ends the sleep early, and the loop asks for that.
                try? await Task.sleep(for: interval)
            }
        }
    }

    /// A name that cannot be resolved now leads where it led before.
    func resolveAll() async {
        await withTaskGroup(of: Void.self) { group in
            for (upstream, name) in names { group.addTask { await resolve(name, upstream) } }
        }
    }

    /// What has to be resolved; addresses need not.
    private var names: [(Upstream, ReplicaAddress)] {
        directory.configured.flatMap { upstream, names in
            names.filter { IPAddress($0.host) == nil }.map { (upstream, $0) }
        }
    }

    private func resolve(_ name: ReplicaAddress, _ upstream: Upstream) async {
        do {
            // In an order of their own, so that of too many the same ones are used each time.
            let addresses = try await resolve(name.host).sorted().prefix(Self.addressCountMax)
            guard !addresses.isEmpty else { return }
            let (added, removed) = directory.set(Array(addresses), of: name, upstream)
            guard !added.isEmpty || !removed.isEmpty else { return }
            logger.info(
                "replicas changed",
                metadata: [
                    "upstream": "\(upstream.rawValue)", "upstream.name": "\(name.authority)",
                    "added": "\(added)", "removed": "\(removed)",
                ])
        } catch {
            logger.warning(
                "name not resolved",
                metadata: ["upstream.name": "\(name.authority)", "error": "\(error)"])
        }
    }

    @Sendable func checkAll() async {
        await withTaskGroup(of: Void.self) { group in
            for (upstream, replicas) in directory.all {
                for replica in replicas { group.addTask { await check(replica, upstream) } }
            }
        }
    }

    private func check(_ replica: ReplicaState, _ upstream: Upstream) async {
        let isReady = await isReady(replica)
        guard !Task.isCancelled, replica.setReady(isReady) else { return }
        logger.info(
            isReady ? "replica ready" : "replica not ready",
            metadata: ["upstream": "\(upstream.rawValue)", "replica": "\(replica)"])
    }

    /// What a replica says of itself.
    func isReady(_ replica: ReplicaState) async -> Bool {
        do {
            let answer = try await http.send(
                OutboundHTTP.Request(
                    method: .GET, url: replica.url + "/internal/ready", deadline: Self.deadline,
                    responseByteCountMax: Self.answerByteCountMax))
            return answer.status == 200
        } catch {
            // Not answering is the answer.
            return false
        }
    }
}

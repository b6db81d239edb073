import Identity
import NIOHTTP1
import OutboundHTTP

/// Whether every service says that it is ready. Asked at most once a second, whoever asks.
actor Readiness {
    private static let deadline: Duration = .seconds(3)
    private static let answerByteCountMax = 64 * 1024
    private static let validity: Duration = .seconds(1)

    private let upstreams: [[ReplicaAddress]]
    private let http: OutboundHTTP
    private let verifier: TokenVerifier
    private var last: (isReady: Bool, at: ContinuousClock.Instant)?
    private var isChecking = false
    private var waiting: [CheckedContinuation<Bool, Never>] = []

    init(
        upstreams: [Upstream: [ReplicaAddress]], http: OutboundHTTP, verifier: TokenVerifier
    ) {
        self.upstreams = Array(upstreams.values)
        self.http = http
        self.verifier = verifier
    }

    func answer() async -> Answer { await isReady() ? .ready : .notReady }

    private func isReady() async -> Bool {
        if let last, ContinuousClock.now - last.at < Self.validity { return last.isReady }
        if isChecking { return await withCheckedContinuation { self.waiting.append($0) } }
        isChecking = true
        let isReady = await check()
        isChecking = false
        last = (isReady, .now)
        let waiting = waiting
        self.waiting = []
        for one in waiting { one.resume(returning: isReady) }
        return isReady
    }

    private func check() async -> Bool {
        guard verifier.isReady else { return false }
        let http = http
        return await withTaskGroup(of: Bool.self) { group in
            for replicas in upstreams {
                group.addTask { await Self.isAnyReady(replicas, http) }
            }
            var isEveryReady = true
            for await isReady in group where !isReady { isEveryReady = false }
            return isEveryReady
        }
    }

    /// One replica that can serve is enough for the service to be there.
    private static func isAnyReady(_ replicas: [ReplicaAddress], _ http: OutboundHTTP) async -> Bool
    {
        await withTaskGroup(of: Bool.self) { group in
            for replica in replicas {
                group.addTask { await isReady(replica, http) }
            }
            var isAnyReady = false
            for await isReady in group where isReady { isAnyReady = true }
            return isAnyReady
        }
    }

    private static func isReady(_ replica: ReplicaAddress, _ http: OutboundHTTP) async -> Bool {
        do {
            let answer = try await http.send(
                OutboundHTTP.Request(
                    method: .GET, url: replica.url + "/internal/ready", deadline: deadline,
                    responseByteCountMax: answerByteCountMax))
            return answer.status == 200
        } catch {
            // Not answering is the answer.
            return false
        }
    }
}

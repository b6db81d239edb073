import Identity

/// Whether every service says that it is ready. Asked at most once a second, whoever asks.
actor Readiness {
    private static let validity: Duration = .seconds(1)

    private let watch: ReplicaWatch
    private let verifier: TokenVerifier
    private var last: (isReady: Bool, at: ContinuousClock.Instant)?
    private var isChecking = false
    private var isStopping = false
    private var waiting: [CheckedContinuation<Bool, Never>] = []

    init(watch: ReplicaWatch, verifier: TokenVerifier) {
        self.watch = watch
        self.verifier = verifier
    }

    func answer() async -> Answer { await isReady() && !isStopping ? .ready : .notReady }

    /// Not ready from now on: whoever asks shall send requests elsewhere.
    func stop() { isStopping = true }

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
        let watch = watch
        return await withTaskGroup(of: Bool.self) { group in
            for replicas in watch.directory.all.values {
                group.addTask { await Self.isAnyReady(replicas, watch) }
            }
            var isEveryReady = true
            for await isReady in group where !isReady { isEveryReady = false }
            return isEveryReady
        }
    }

    /// One replica that can serve is enough for the service to be there.
    private static func isAnyReady(_ replicas: [ReplicaState], _ watch: ReplicaWatch) async -> Bool
    {
        await withTaskGroup(of: Bool.self) { group in
            for replica in replicas { group.addTask { await watch.isReady(replica) } }
            var isAnyReady = false
            for await isReady in group where isReady { isAnyReady = true }
            return isAnyReady
        }
    }
}

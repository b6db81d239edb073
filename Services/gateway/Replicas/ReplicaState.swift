import NIOCore
import Synchronization

/// One replica of a service, as all event loops see it.
final class ReplicaState: Sendable {
    /// How long one that failed is asked last: twice as long after each failure in a row.
    private static let (avoidanceMin, avoidanceMax) = (
        TimeAmount.seconds(1), TimeAmount.seconds(30)
    )

    /// What the settings call it: what requests to it name as their host.
    let authority: String
    let address: IPAddress
    let port: Int
    private let outstanding = Atomic(0)
    /// In a row, and ever.
    private let failures = Atomic(0)
    private let allFailures = Atomic(0)
    /// Of `NIODeadline`.
    private let avoidedUntilNanoseconds = Atomic<UInt64>(0)
    private let ready = Atomic(true)
    private let removed = Atomic(false)

    init(authority: String, address: IPAddress, port: Int) {
        self.authority = authority
        self.address = address
        self.port = port
    }

    /// Requests that it has not finished answering.
    var outstandingCount: Int { outstanding.load(ordering: .relaxed) }

    func begin() { outstanding.add(1, ordering: .relaxed) }
    func end() { outstanding.subtract(1, ordering: .relaxed) }

    /// Last resort only: it refused a connection, broke one off without an answer, or says itself
    /// that it is not ready.
    func isAvoided(at now: NIODeadline) -> Bool {
        !isReady || avoidedUntilNanoseconds.load(ordering: .relaxed) > now.uptimeNanoseconds
    }

    func fail(at now: NIODeadline = .now()) {
        allFailures.add(1, ordering: .relaxed)
        let before = failures.add(1, ordering: .relaxed).oldValue
        let pause = min(Self.avoidanceMin * (1 << min(before, 8)), Self.avoidanceMax)
        avoidedUntilNanoseconds.store((now + pause).uptimeNanoseconds, ordering: .relaxed)
    }

    var failureCount: Int { allFailures.load(ordering: .relaxed) }

    /// It has answered.
    func succeed() {
        guard failures.load(ordering: .relaxed) != 0 else { return }
        failures.store(0, ordering: .relaxed)
        avoidedUntilNanoseconds.store(0, ordering: .relaxed)
    }

    /// What it said when it was last asked; true before that.
    var isReady: Bool { ready.load(ordering: .relaxed) }

    /// True if this is news. One that was not ready and is, has its failures behind it; one that says
    /// all the while that it is ready has not.
    func setReady(_ isReady: Bool) -> Bool {
        let isNews = ready.exchange(isReady, ordering: .relaxed) != isReady
        if isNews, isReady { succeed() }
        return isNews
    }

    /// Its name leads elsewhere now: what it is answering it may finish, nothing new goes to it.
    var isRemoved: Bool { removed.load(ordering: .relaxed) }
    func remove() { removed.store(true, ordering: .relaxed) }
}

extension ReplicaState: CustomStringConvertible {
    var description: String { (address.isV4 ? "\(address)" : "[\(address)]") + ":\(port)" }
    var url: String { "http://\(self)" }
}

import Domain

/// A report while it grows, told to whoever waits for it about once a second.
struct Findings {
    private(set) var report = ConsistencyReport()
    private let tell: (ConsistencyReport) async throws -> Void
    private var toldAt: ContinuousClock.Instant?
    /// Parts of the comparison: of each its share of the progress is the same.
    private let partCount: Int
    private var partIndex = -1

    private static let tellInterval = Duration.seconds(1)

    init(partCount: Int, tell: @escaping (ConsistencyReport) async throws -> Void) {
        self.partCount = partCount
        self.tell = tell
    }

    mutating func begin(_ step: String) async throws {
        partIndex += 1
        report.step = step
        try await reach(0)
    }

    /// - Parameter fraction: of the part that is being compared.
    mutating func reach(_ fraction: Double) async throws {
        report.progress = min(1, (Double(partIndex) + fraction) / Double(max(1, partCount)))
        if let toldAt, ContinuousClock.now - toldAt < Self.tellInterval { return }
        try await tell(report)
        toldAt = .now
    }

    mutating func add(_ kind: Inconsistency, _ example: ConsistencyReport.Example) {
        report.add(kind, example)
    }

    mutating func count(_ change: (inout ConsistencyReport) -> Void) { change(&report) }

    /// The whole of it.
    mutating func finish() -> ConsistencyReport {
        report.step = ""
        report.progress = 1
        return report
    }
}

import Database
import Domain
import FoundationEssentials

/// A job as operators see it.
struct JobBody: Encodable, Sendable {
    private let job: JobOverview
    private let tellsAttempts: Bool

    /// - Parameter tellsAttempts: with those that did not complete it, one by one.
    init(_ job: JobOverview, tellsAttempts: Bool = false) {
        self.job = job
        self.tellsAttempts = tellsAttempts
    }

    private enum Key: String, CodingKey {
        case id, kind, subject, state, attempts, failures, progress, reason, interruptions
        case createdAt = "created_at"
        case dueAt = "due_at"
        case firstStartedAt = "first_started_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case waitedSeconds = "waited_seconds"
        case workedSeconds = "worked_seconds"
    }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(job.id, forKey: .id)
        try body.encode(job.kind, forKey: .kind)
        try body.encode(job.subject, forKey: .subject)
        try body.encode(job.state.rawValue, forKey: .state)
        try body.encode(job.attemptCount, forKey: .attempts)
        try body.encode(job.failureCount, forKey: .failures)
        try body.encode(job.progress, forKey: .progress)
        try body.encode(job.reason, forKey: .reason)
        try body.encode(Int(job.createdAt.timeIntervalSince1970), forKey: .createdAt)
        try body.encode(job.dueAt.map(Self.second), forKey: .dueAt)
        try body.encode(job.firstStartedAt.map(Self.second), forKey: .firstStartedAt)
        try body.encode(job.startedAt.map(Self.second), forKey: .startedAt)
        try body.encode(job.finishedAt.map(Self.second), forKey: .finishedAt)
        try body.encode(job.waitedSeconds.map(Self.rounded), forKey: .waitedSeconds)
        try body.encode(job.workedSeconds.map(Self.rounded), forKey: .workedSeconds)
        if tellsAttempts {
            try body.encode(job.interruptions.map(Interruption.init), forKey: .interruptions)
        }
    }

    private static func second(_ date: Date) -> Int { Int(date.timeIntervalSince1970) }

    /// To the millisecond.
    private static func rounded(_ seconds: Double) -> Double { (seconds * 1_000).rounded() / 1_000 }

    private struct Interruption: Encodable {
        let attempt: JobInterruption

        private enum Key: String, CodingKey {
            case attempt, worker, outcome, reason, count, seconds
            case startedAt = "started_at"
            case endedAt = "ended_at"
        }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(attempt.attempt, forKey: .attempt)
            try body.encode(attempt.worker, forKey: .worker)
            try body.encode(attempt.outcome, forKey: .outcome)
            try body.encode(attempt.reason, forKey: .reason)
            try body.encode(attempt.count, forKey: .count)
            try body.encode(attempt.startedAt.map { Int($0) }, forKey: .startedAt)
            try body.encode(Int(attempt.endedAt), forKey: .endedAt)
            try body.encode(
                attempt.startedAt.map { JobBody.rounded(attempt.endedAt - $0) }, forKey: .seconds)
        }
    }
}

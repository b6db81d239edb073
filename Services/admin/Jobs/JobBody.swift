import Database
import FoundationEssentials

/// A job as operators see it.
struct JobBody: Encodable, Sendable {
    private let job: JobOverview

    init(_ job: JobOverview) { self.job = job }

    private enum Key: String, CodingKey {
        case id, kind, subject, state, attempts, failures, reason
        case createdAt = "created_at"
        case finishedAt = "finished_at"
    }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(job.id, forKey: .id)
        try body.encode(job.kind, forKey: .kind)
        try body.encode(job.subject, forKey: .subject)
        try body.encode(job.state, forKey: .state)
        try body.encode(job.attemptCount, forKey: .attempts)
        try body.encode(job.failureCount, forKey: .failures)
        try body.encode(job.reason, forKey: .reason)
        try body.encode(Int(job.createdAt.timeIntervalSince1970), forKey: .createdAt)
        try body.encode(
            job.finishedAt.map { Int($0.timeIntervalSince1970) }, forKey: .finishedAt)
    }
}

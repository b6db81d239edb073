import Database
import Domain
import FoundationEssentials

/// The queue in figures.
struct QueueBody: Encodable, Sendable {
    let counts: [JobCount]
    /// Of each kind, oldest first.
    let waiting: [JobOverview]
    let throughput: [JobThroughput]
    let deadLetters: [DeadLetterGroup]
    /// The jobs that dead letters have as examples.
    let examples: [Int: JobOverview]
    let workers: [JobWorkerOverview]
    let now: Date

    private enum Key: String, CodingKey {
        case counts, kinds, throughput, workers
        case isCapped = "is_capped"
        case oldestWaiting = "oldest_waiting"
        case oldestByKind = "oldest_by_kind"
        case deadLetters = "dead_letters"
    }

    func encode(to encoder: any Encoder) throws {
        var total = Dictionary(uniqueKeysWithValues: JobState.allCases.map { ($0.rawValue, 0) })
        var kinds: [String: [String: Int]] = [:]
        for count in counts {
            total[count.state.rawValue, default: 0] += count.count
            kinds[count.kind, default: [:]][count.state.rawValue] = count.count
        }
        let ended =
            total[JobState.done.rawValue, default: 0]
            + total[JobState.cancelled.rawValue, default: 0]
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(total, forKey: .counts)
        try body.encode(kinds, forKey: .kinds)
        try body.encode(ended >= QueueFiguresStore.endedCountMax, forKey: .isCapped)
        try body.encode(waiting.first.map { Waiting(job: $0, now: now) }, forKey: .oldestWaiting)
        try body.encode(
            Dictionary(uniqueKeysWithValues: waiting.map { ($0.kind, Waiting(job: $0, now: now)) }),
            forKey: .oldestByKind)
        try body.encode(Throughput(kinds: throughput), forKey: .throughput)
        try body.encode(
            deadLetters.map { group in
                DeadLetterBody(group: group, examples: group.examples.compactMap { examples[$0] })
            }, forKey: .deadLetters)
        try body.encode(workers.map(Worker.init), forKey: .workers)
    }

    private struct Waiting: Encodable {
        let job: JobOverview
        let now: Date

        private enum Key: String, CodingKey { case job, seconds }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(JobBody(job), forKey: .job)
            try body.encode(max(0, Int(now.timeIntervalSince(job.createdAt))), forKey: .seconds)
        }
    }

    /// Jobs done.
    private struct Throughput: Encodable {
        let kinds: [JobThroughput]

        private struct Counts: Encodable {
            let lastMinute: Int
            let lastHour: Int

            private enum CodingKeys: String, CodingKey {
                case lastMinute = "last_minute"
                case lastHour = "last_hour"
            }
        }

        private enum Key: String, CodingKey { case total, kinds }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(
                Counts(
                    lastMinute: kinds.reduce(0) { $0 + $1.lastMinuteCount },
                    lastHour: kinds.reduce(0) { $0 + $1.lastHourCount }), forKey: .total)
            let byKind = kinds.map {
                ($0.kind, Counts(lastMinute: $0.lastMinuteCount, lastHour: $0.lastHourCount))
            }
            try body.encode(Dictionary(uniqueKeysWithValues: byKind), forKey: .kinds)
        }
    }

    private struct DeadLetterBody: Encodable {
        let group: DeadLetterGroup
        let examples: [JobOverview]

        private enum Key: String, CodingKey {
            case kind, reason, count, examples
            case firstAt = "first_at"
            case lastAt = "last_at"
        }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(group.kind, forKey: .kind)
            try body.encode(group.reason, forKey: .reason)
            try body.encode(group.count, forKey: .count)
            try body.encode(
                group.firstAt.map { Int($0.timeIntervalSince1970) }, forKey: .firstAt)
            try body.encode(
                group.lastAt.map { Int($0.timeIntervalSince1970) }, forKey: .lastAt)
            try body.encode(
                examples.map { JobBody($0, tellsAttempts: true) }, forKey: .examples)
        }
    }

    private struct Worker: Encodable {
        let worker: JobWorkerOverview

        private enum Key: String, CodingKey {
            case id, name, kinds
            case heartbeatAt = "heartbeat_at"
        }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(worker.id, forKey: .id)
            try body.encode(worker.name, forKey: .name)
            try body.encode(worker.kinds, forKey: .kinds)
            try body.encode(
                Int(worker.heartbeatAt.timeIntervalSince1970), forKey: .heartbeatAt)
        }
    }
}

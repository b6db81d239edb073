import Domain
import FoundationEssentials

/// A run as operators see it.
struct ConsistencyBody: Encodable {
    private let run: ConsistencyRun

    init(_ run: ConsistencyRun) { self.run = run }

    private enum Key: String, CodingKey {
        case run, status, repair, consistent, faults, compared, step, progress, error
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case tookMilliseconds = "took_ms"
    }

    func encode(to encoder: any Encoder) throws {
        let (report, isDone) = (run.report, run.state == .done)
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(run.id, forKey: .run)
        try body.encode(run.state, forKey: .status)
        try body.encode(run.repairs, forKey: .repair)
        try body.encode(isDone ? report.faultCount == 0 : nil, forKey: .consistent)
        try body.encode(report.tallies.mapValues(Faults.init), forKey: .faults)
        try body.encode(Compared(report), forKey: .compared)
        try body.encode(report.step, forKey: .step)
        try body.encode(report.progress, forKey: .progress)
        try body.encode(run.failure.map(Failure.init), forKey: .error)
        try body.encode(Int(run.startedAt.timeIntervalSince1970), forKey: .startedAt)
        try body.encode(
            run.finishedAt.map { Int($0.timeIntervalSince1970) }, forKey: .finishedAt)
        let end = run.finishedAt ?? run.startedAt.addingTimeInterval(run.ageSeconds)
        let seconds = max(0, end.timeIntervalSince(run.startedAt))
        try body.encode(Int(seconds * 1000), forKey: .tookMilliseconds)
    }
}

private struct Failure: Encodable {
    let code: String
    let message: String

    init(_ failure: ConsistencyRun.Failure) {
        code = failure.code
        message = failure.message
    }
}

private struct Faults: Encodable {
    let found: Int
    let repaired: Int
    let queued: Int
    let impossible: Int
    let examples: [Example]

    init(_ tally: ConsistencyReport.Tally) {
        found = tally.foundCount
        repaired = tally.doneCount
        queued = tally.queuedCount
        impossible = tally.impossibleCount
        examples = tally.examples.map(Example.init)
    }
}

private struct Example: Encodable {
    private let example: ConsistencyReport.Example

    init(_ example: ConsistencyReport.Example) { self.example = example }

    private enum Key: String, CodingKey {
        case id, generation, detail, repair
        case documentID = "document_id"
    }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(example.id, forKey: .id)
        try body.encode(example.generation, forKey: .generation)
        try body.encode(example.document, forKey: .documentID)
        try body.encode(example.detail, forKey: .detail)
        try body.encode(example.repair, forKey: .repair)
    }
}

private struct Compared: Encodable {
    struct Generation: Encodable {
        let generation: Int
        let state: Domain.Generation.State
        let collection: String
        let chunks: Int
        let points: Int
    }

    let generations: [Generation]
    let collections: Int
    let attachments: Int
    let objects: Int
    let deletions: Int

    init(_ report: ConsistencyReport) {
        generations = report.generations.map {
            Generation(
                generation: $0.number, state: $0.state, collection: $0.collection,
                chunks: $0.chunkCount, points: $0.pointCount)
        }
        collections = report.collectionCount
        attachments = report.attachmentCount
        objects = report.objectCount
        deletions = report.deletionCount
    }
}

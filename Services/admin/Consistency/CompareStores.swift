import Database
import Domain
import JobQueue
import Logging
import ObjectStorage
import Postgres
import Qdrant

/// Carries out a run. Whoever takes one over whose holder died begins it anew: nothing it has done
/// is done twice.
struct CompareStores: JobHandler {
    static let kind = CompareStoresJob.kind

    let pool: PostgresPool
    let comparison: StoreComparison
    let logger: Logger

    func handle(_ job: ClaimedJob) async throws {
        let payload = try job.decode(CompareStoresJob.self)
        do {
            let report = try await comparison.run(repairs: payload.repairs) { report in
                try await pool.transaction { transaction in
                    try job.requireLease(in: transaction)
                    try ConsistencyRunStore(transaction).setReport(payload.run, report)
                }
            }
            // From a command line perhaps.
            guard let report else { throw JobFailure.snooze(.seconds(2)) }
            try await finish(payload, report, job)
        } catch {
            guard !Task.isCancelled, let failure = ConsistencyRun.Failure(error) else {
                throw error
            }
            logger.warning("stores cannot be compared", metadata: ["reason": "\(error)"])
            try await pool.transaction { transaction in
                try job.requireLease(in: transaction)
                try ConsistencyRunStore(transaction).setFailed(payload.run, failure)
                try transaction.notify(Channel.consistency, String(payload.run))
                try job.complete(in: transaction)
            }
        }
    }

    private func finish(
        _ payload: CompareStoresJob, _ report: ConsistencyReport, _ job: ClaimedJob
    ) async throws {
        try await pool.transaction { transaction in
            try job.requireLease(in: transaction)
            try ConsistencyRunStore(transaction).setDone(payload.run, report)
            if payload.repairs, report.faultCount > 0 {
                try AuditStore(transaction).record(
                    .consistencyRepaired, "run \(payload.run)", report.auditDetails,
                    by: AuditAuthor(
                        actor: payload.actor, isAdmin: true, requestID: payload.requestID))
            }
            try transaction.notify(Channel.consistency, String(payload.run))
            try job.complete(in: transaction)
        }
        logger.info(
            "stores were compared",
            metadata: ["run.id": "\(payload.run)", "fault.count": "\(report.faultCount)"])
    }

    func died(_ job: ClaimedJob, reason: String, in transaction: Transaction) throws {
        let payload = try job.decode(CompareStoresJob.self)
        try ConsistencyRunStore(transaction).setFailed(
            payload.run, .init(code: "abandoned", message: "Comparing ended again and again."))
        try transaction.notify(Channel.consistency, String(payload.run))
    }
}

extension ConsistencyRun.Failure {
    /// Of a store that is away; nil for what another attempt may mend.
    fileprivate init?(_ error: any Error) {
        switch error {
        case is QdrantError:
            self.init(
                code: "vectors_away", message: "The vector engine does not answer, or refuses.")
        case is ObjectStorageError:
            self.init(code: "storage_away", message: "The stored files cannot be listed.")
        default: return nil
        }
    }
}

extension ConsistencyReport {
    /// How many of each kind were found.
    fileprivate var auditDetails: [String: String] {
        tallies.mapValues(\.foundCount).filter { $0.value > 0 }.mapValues(String.init)
    }
}

import ChildProcess
import JobQueue
import ModelEndpoint
import ObjectStorage
import OutboundHTTP
import Postgres
import Qdrant

/// What an error of one of our dependencies means for a job.
enum IndexingFailure {
    /// Away: asked again later, without using up an attempt. Anything else is thrown as it is and
    /// backs off.
    static func sorted(_ error: any Error) -> any Error {
        switch error {
        case let error as QdrantError where error == .unreachable || error == .notFound:
            JobFailure.snooze(.seconds(3))
        case ModelError.rateLimited(let retryAfter):
            JobFailure.snooze(min(max(retryAfter ?? .seconds(5), .seconds(1)), .seconds(120)))
        case let error as ModelError where isAway(error): JobFailure.snooze(.seconds(5))
        case let error as PostgresError where isAway(error): JobFailure.snooze(.seconds(2))
        case ObjectStorageError.unavailable, ObjectStorageError.sealedWithAnotherKey:
            JobFailure.snooze(.seconds(5))
        case ObjectStorageError.notFound:
            JobFailure.giveUp(code: "missing", message: "The stored file is gone.")
        case ObjectStorageError.corrupt:
            JobFailure.giveUp(code: "corrupt", message: "The stored file was changed.")
        default: error
        }
    }

    static func isAway(_ error: ModelError) -> Bool {
        error == .unreachable || error == .timedOut || error == .broken
    }

    static func isAway(_ error: PostgresError) -> Bool {
        switch error {
        case .unreachable, .busy: true
        default: false
        }
    }
}

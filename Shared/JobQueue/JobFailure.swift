/// How a handler ends a job it could not finish. Anything else it throws backs off and is tried again.
package enum JobFailure: Error, Sendable, Equatable {
    /// Trying again would not help. The job is dead at once.
    case giveUp(code: String, message: String)
    case retry(after: Duration)
    /// Something we depend on is away. Uses no attempt.
    case snooze(Duration)
    /// Another worker has the job, or it was cancelled: nothing may be changed any more.
    case leaseLost
}

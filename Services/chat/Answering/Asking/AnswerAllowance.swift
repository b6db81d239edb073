import Database
import Domain
import HTTPService
import HTTPTypes
import Postgres

/// How much of the model one member may have, on all replicas together.
struct AnswerAllowance: Sendable {
    /// Nil: as much as they like.
    var dailyTokenCountMax: Int?
    /// Answers being written at a time.
    var runningCountMax = 8

    private static let retrySeconds = 5

    /// Throws when the member may not begin another answer. Nobody else begins one of theirs until
    /// the transaction ends. To be called before it takes any row.
    func require(for principal: Principal, in transaction: Transaction) throws {
        try MemberLock.take(principal, in: transaction)
        let store = AnswerUsageStore(transaction, for: principal)
        guard try store.runningCount() < runningCountMax else {
            throw Problem(
                .tooManyRequests, code: "too_many_answers",
                detail: "At most \(runningCountMax) answers are written for you at a time. "
                    + "Please wait for one of them.",
                headers: [.retryAfter: "\(Self.retrySeconds)"])
        }
        guard let dailyTokenCountMax else { return }
        let today = try store.today()
        guard today.tokenCount < dailyTokenCountMax else {
            throw Problem(
                .tooManyRequests, code: "daily_limit_reached",
                detail: "Today's answers have taken \(today.tokenCount) tokens of "
                    + "\(dailyTokenCountMax). You can ask again at midnight UTC.",
                headers: [.retryAfter: "\(today.secondsLeft)"])
        }
    }
}

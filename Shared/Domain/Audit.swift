package import FoundationEssentials

/// What is written down when somebody does it.
package enum AuditAction: String, Sendable {
    case attachmentDeleted = "attachment.deleted"
    case conversationDeleted = "conversation.deleted"
    case userErased = "user.erased"
    case uploadsExpired = "uploads.expired"
    case conversationsExpired = "conversations.expired"
    case auditExpired = "audit.expired"
    case uploadsViewed = "uploads.viewed"
    case reindexRequested = "reindex.requested"
    case generationActivated = "generation.activated"
    case generationCancelled = "generation.cancelled"
    case generationDropped = "generation.dropped"
    case reloadRequested = "reload.requested"
    case trainingSynced = "training.synced"
    case consistencyRequested = "consistency.requested"
    case consistencyRepaired = "consistency.repaired"
    case jobCancelled = "job.cancelled"
    case jobRetried = "job.retried"
    case jobsRetried = "jobs.retried"
    case usageViewed = "usage.viewed"
    case backupMade = "backup.made"
    case backupRestored = "backup.restored"
}

/// Who acts, and in which request.
package struct AuditAuthor: Sendable, Hashable {
    /// The `sub` of a token, or the name of what acts unasked.
    package let actor: String
    package let isAdmin: Bool
    package let requestID: String?

    package init(actor: String, isAdmin: Bool, requestID: String?) {
        self.actor = actor
        self.isAdmin = isAdmin
        self.requestID = requestID
    }

    /// The settings say how long things are kept, and this obeys.
    package static let retention = AuditAuthor(
        actor: "retention", isAdmin: false, requestID: nil)
    /// What is done every so often.
    package static let schedule = AuditAuthor(actor: "schedule", isAdmin: false, requestID: nil)
    /// Whoever can start a process with the services' settings.
    package static let commandLine = AuditAuthor(
        actor: "command line", isAdmin: true, requestID: nil)
    /// What a process does of itself when it starts.
    package static let start = AuditAuthor(actor: "start", isAdmin: false, requestID: nil)
}

package struct AuditRecord: Sendable {
    /// Rises with time.
    package let id: Int
    package let createdAt: Date
    package let author: AuditAuthor
    /// As it is stored: an older or newer version may know others.
    package let action: String
    /// The id of what it was done to; empty for what has none.
    package let subject: String
    package let details: [String: String]

    package init(
        id: Int, createdAt: Date, author: AuditAuthor, action: String, subject: String,
        details: [String: String]
    ) {
        self.id = id
        self.createdAt = createdAt
        self.author = author
        self.action = action
        self.subject = subject
        self.details = details
    }
}

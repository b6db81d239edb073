/// Names of the notifications that our processes send one another through Postgres.
package enum Channel {
    /// A job was enqueued.
    package static let jobs = "celine_jobs"
    /// The live generation changed, or replicas shall look at it anew.
    package static let generations = "celine_generations"
    /// An attachment's status changed; the payload is its id.
    package static let attachments = "celine_attachments"
    /// A comparison of the stores ended; the payload is its number.
    package static let consistency = "celine_consistency"
}

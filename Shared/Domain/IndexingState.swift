/// Where the work on an upload is, while it is not at its end.
package struct IndexingState: Sendable, Hashable {
    package enum Stage: String, Sendable, Codable {
        /// It waits for its turn.
        case queued
        /// It would be its turn, but no worker is there.
        case starved
        case processing
        /// It goes on by itself, but not now.
        case stuck
    }

    /// What keeps a stuck one from going on.
    package enum Obstacle: String, Sendable, Codable {
        /// It failed, and will be tried again after a while.
        case retrying
        /// Something it needs does not answer, or answers that it gets too many requests.
        case dependencyAway = "dependency_away"
        /// A worker holds it and has not come further for a long time.
        case noProgress = "no_progress"
    }

    package let stage: Stage
    package let obstacle: Obstacle?
    /// In the queue, 1 for the next; nil when it is not in it, or far from its beginning.
    package let position: Int?
    /// From 0 to 1: the furthest that any attempt came.
    package let progress: Double

    package init(stage: Stage, obstacle: Obstacle? = nil, position: Int? = nil, progress: Double) {
        self.stage = stage
        self.obstacle = obstacle
        self.position = position
        self.progress = progress
    }
}

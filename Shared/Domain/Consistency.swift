package import FoundationEssentials

/// The ways in which Postgres, the vector engine and object storage can disagree.
package enum Inconsistency: String, Sendable, Codable, CaseIterable {
    /// A chunk is shown, and the engine has no point of it.
    case missingPoints = "missing_points"
    /// A point that nothing shows and nothing is about to show.
    case orphanedPoints = "orphaned_points"
    /// A point that names another tenant, or is in another scope than its document's owner.
    case wrongOwners = "wrong_owners"
    /// A point that names another document, revision, kind or language.
    case wrongPayloads = "wrong_payloads"
    /// A chunk is shown whose vector Postgres lacks: rebuilding the index would call the model.
    case missingVectors = "missing_vectors"
    /// An upload whose stored file is gone.
    case missingBytes = "missing_bytes"
    /// A stored file that no row names, a day after it was stored.
    case orphanedBytes = "orphaned_bytes"
    /// A generation without its collection.
    case missingCollections = "missing_collections"
    /// A collection that is named as ours are and belongs to no generation.
    case orphanedCollections = "orphaned_collections"
    /// A deleted document that nobody is erasing any more.
    case unfinishedDeletions = "unfinished_deletions"
}

/// What a comparison of the stores has found so far, as operators read it.
package struct ConsistencyReport: Sendable, Hashable, Codable {
    package enum Repair: String, Sendable, Codable {
        /// It is mended.
        case done
        /// A job that mends it waits or runs.
        case queued
        /// Nothing here can mend it.
        case impossible
    }

    /// One difference, looked at twice.
    package struct Example: Sendable, Hashable, Codable {
        /// Of the point, the attachment, the stored file, the collection or the document.
        package let id: String
        package let generation: Int?
        package let document: Document.ID?
        /// What is wrong with it, where that is more than its kind says.
        package let detail: String?
        /// Nil where only looking was asked for.
        package let repair: Repair?

        package init(
            _ id: String, generation: Int? = nil, document: Document.ID? = nil,
            detail: String? = nil, repair: Repair? = nil
        ) {
            self.id = id
            self.generation = generation
            self.document = document
            self.detail = detail
            self.repair = repair
        }
    }

    /// All differences of one kind.
    package struct Tally: Sendable, Hashable, Codable {
        package var foundCount = 0
        package var doneCount = 0
        package var queuedCount = 0
        package var impossibleCount = 0
        /// The first ones.
        package var examples: [Example] = []
    }

    /// How much of one generation was compared.
    package struct Generation: Sendable, Hashable, Codable {
        package let number: Int
        package let state: Domain.Generation.State
        package let collection: String
        /// Chunks that it shows.
        package var chunkCount = 0
        package var pointCount = 0
    }

    /// By the kind's raw value: all kinds are there.
    package var tallies: [String: Tally]
    package var generations: [Generation] = []
    package var attachmentCount = 0
    package var objectCount = 0
    package var collectionCount = 0
    /// Tombstones.
    package var deletionCount = 0
    /// What is being done, in words.
    package var step = ""
    /// From 0 to 1.
    package var progress = 0.0

    package init() {
        tallies = Dictionary(
            uniqueKeysWithValues: Inconsistency.allCases.map { ($0.rawValue, Tally()) })
    }

    /// Of an upload with missing bytes somebody has to be told: so more of them are named.
    private static let exampleCountMax = 20
    private static let missingBytesCountMax = 500

    package mutating func add(_ kind: Inconsistency, _ example: Example) {
        var tally = tallies[kind.rawValue] ?? Tally()
        tally.foundCount += 1
        switch example.repair {
        case .done: tally.doneCount += 1
        case .queued: tally.queuedCount += 1
        case .impossible: tally.impossibleCount += 1
        case nil: break
        }
        let most = kind == .missingBytes ? Self.missingBytesCountMax : Self.exampleCountMax
        if tally.examples.count < most { tally.examples.append(example) }
        tallies[kind.rawValue] = tally
    }

    package func tally(_ kind: Inconsistency) -> Tally { tallies[kind.rawValue] ?? Tally() }

    package var faultCount: Int { tallies.values.map(\.foundCount).reduce(0, +) }
}

extension ConsistencyReport.Generation {
    package init(_ generation: Domain.Generation) {
        self.init(
            number: generation.number, state: generation.state, collection: generation.collection)
    }
}

/// One comparison of the stores, which any process may carry out.
package struct ConsistencyRun: Sendable, Hashable {
    package enum State: String, Sendable, Codable {
        case running
        case done
        case failed
    }

    /// Why there is no result, in words for operators.
    package struct Failure: Sendable, Hashable {
        package let code: String
        package let message: String

        package init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    package let id: Int
    package let state: State
    package let repairs: Bool
    package let report: ConsistencyReport
    package let failure: Failure?
    package let startedAt: Date
    package let finishedAt: Date?
    /// By the database's clock.
    package let ageSeconds: Double

    package init(
        id: Int, state: State, repairs: Bool, report: ConsistencyReport, failure: Failure?,
        startedAt: Date, finishedAt: Date?, ageSeconds: Double
    ) {
        self.id = id
        self.state = state
        self.repairs = repairs
        self.report = report
        self.failure = failure
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.ageSeconds = ageSeconds
    }
}

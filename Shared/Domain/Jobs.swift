/// Where a job is, as operators see it.
package enum JobState: String, Sendable, CaseIterable {
    case ready
    case running
    /// An operator wants it ended, and nobody has seen to it yet.
    case cancelling
    case done
    case dead
    case cancelled

    /// Nothing further happens by itself.
    package var isEnd: Bool { self == .done || self == .dead || self == .cancelled }
}

/// Index one upload into every generation that is live or being built.
package struct IndexAttachmentJob: Codable, Sendable {
    package static let kind = "index_attachment"
    package let attachmentID: Attachment.ID
    package init(attachmentID: Attachment.ID) { self.attachmentID = attachmentID }
}

/// Index one page of a sync. It stays invisible until the whole sync is flipped.
package struct IndexTrainingPageJob: Codable, Sendable {
    package static let kind = "index_training_page"
    package let syncID: TrainingSync.ID
    package let documentID: Document.ID
    package init(syncID: TrainingSync.ID, documentID: Document.ID) {
        self.syncID = syncID
        self.documentID = documentID
    }
}

/// Put every live document into a generation that is being built, swap it in, and tidy up after it.
package struct BuildGenerationJob: Codable, Sendable {
    package static let kind = "build_generation"
    package let number: Int
    package init(number: Int) { self.number = number }
}

/// Write all points of one live document into the generation that lacks it, or into every one that is
/// live or being built.
package struct ReindexDocumentJob: Codable, Sendable {
    package static let kind = "reindex_document"
    package let documentID: Document.ID
    /// Nil: every generation that is live or being built.
    package let generation: Int?
    package init(documentID: Document.ID, generation: Int? = nil) {
        self.documentID = documentID
        self.generation = generation
    }
}

/// Remove a tombstoned document: points in every generation, then bytes, then rows.
package struct EraseDocumentJob: Codable, Sendable {
    package static let kind = "erase_document"
    package let documentID: Document.ID
    package init(documentID: Document.ID) { self.documentID = documentID }
}

/// Remove the points and rows of revisions that nothing shows any more.
package struct SweepRevisionsJob: Codable, Sendable {
    /// Points that a comparison of the stores found nothing for.
    package struct OrphanedPoints: Codable, Sendable {
        package let generation: Int
        package let ids: [PointID]
        package init(generation: Int, ids: [PointID]) {
            self.generation = generation
            self.ids = ids
        }
    }

    package static let kind = "sweep_revisions"
    package let documentID: Document.ID
    /// To be removed as well, if there is still nothing that shows them.
    package let orphans: OrphanedPoints?

    package init(documentID: Document.ID, orphans: OrphanedPoints? = nil) {
        self.documentID = documentID
        self.orphans = orphans
    }

    /// The jobs that write points of a document.
    package static let indexingKinds = [
        IndexAttachmentJob.kind, IndexTrainingPageJob.kind, ReindexDocumentJob.kind,
    ]
}

/// Compare Postgres, the vector engine and object storage. Admin's own.
package struct CompareStoresJob: Codable, Sendable {
    package static let kind = "compare_stores"
    package let run: Int
    /// Whether what can be mended is mended.
    package let repairs: Bool
    /// Who asked, to be written down for what is mended.
    package let actor: String
    package let requestID: String?

    package init(run: Int, repairs: Bool, actor: String, requestID: String?) {
        self.run = run
        self.repairs = repairs
        self.actor = actor
        self.requestID = requestID
    }
}

/// Delete what has been kept for as long as the settings say.
package struct EnforceRetentionJob: Codable, Sendable {
    package static let kind = "enforce_retention"
    package init() {}
}

/// Drop the collection of a generation that is given up, once no chat replica asks it.
package struct DropGenerationJob: Codable, Sendable {
    package static let kind = "drop_generation"
    package let number: Int
    package init(number: Int) { self.number = number }
}

/// One run of bringing the index to a commit of the training materials.
package struct TrainingSync: Sendable {
    package typealias ID = Identifier<TrainingSync>
}

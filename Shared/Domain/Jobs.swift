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

/// Add a document to the one generation that lacks it, or write it anew in all of them.
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
    package static let kind = "sweep_revisions"
    package let documentID: Document.ID
    package init(documentID: Document.ID) { self.documentID = documentID }
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

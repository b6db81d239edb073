package import FoundationEssentials

/// A file a member (or, for everybody, an operator) uploaded.
package struct Attachment: Sendable, Identifiable {
    package typealias ID = Identifier<Attachment>

    /// What a client sees. The job of indexing it has states of its own.
    package enum Status: String, Sendable, Codable, CaseIterable {
        case queued
        case processing
        case indexed
        /// Kept, but there was no text in it.
        case stored
        case failed

        /// Nothing further happens by itself.
        package var isEnd: Bool { self != .queued && self != .processing }
    }

    /// Why indexing failed, in words for its owner.
    package struct Failure: Sendable, Hashable {
        /// Stable, snake_case: `corrupt`, `timed_out` …
        package let code: String
        package let message: String

        package init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    package let id: ID
    package let owner: Owner
    package let filename: String
    package let contentType: String
    package let byteCount: Int
    package let sha256: [UInt8]
    /// Where the bytes are in object storage. Never leaves the services.
    package let storageKey: String
    package let status: Status
    package let failure: Failure?
    package let caption: String?
    package let chunkCount: Int
    package let pageCount: Int?
    package let createdAt: Date
    /// Order of arrival; times are not ordered.
    package let sequence: Int

    package init(
        id: ID, owner: Owner, filename: String, contentType: String, byteCount: Int,
        sha256: [UInt8], storageKey: String, status: Status, failure: Failure?, caption: String?,
        chunkCount: Int, pageCount: Int?, createdAt: Date, sequence: Int
    ) {
        self.id = id
        self.owner = owner
        self.filename = filename
        self.contentType = contentType
        self.byteCount = byteCount
        self.sha256 = sha256
        self.storageKey = storageKey
        self.status = status
        self.failure = failure
        self.caption = caption
        self.chunkCount = chunkCount
        self.pageCount = pageCount
        self.createdAt = createdAt
        self.sequence = sequence
    }

    package var documentID: Document.ID { Document.ID(rawValue: id.rawValue) }
}

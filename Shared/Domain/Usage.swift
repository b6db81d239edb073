/// How much one member may have.
package struct UserLimits: Sendable, Hashable {
    /// Of all their files together.
    package var storedByteCountMax: Int
    package var fileCountMax: Int
    /// Uploads whose bytes are on their way.
    package var uploadCountMax: Int

    package init(storedByteCountMax: Int, fileCountMax: Int, uploadCountMax: Int) {
        self.storedByteCountMax = storedByteCountMax
        self.fileCountMax = fileCountMax
        self.uploadCountMax = uploadCountMax
    }
}

/// How much one member has.
package struct UserUsage: Sendable, Hashable {
    package var storedByteCount: Int
    package var fileCount: Int
    package var uploadCount: Int

    package init(storedByteCount: Int, fileCount: Int, uploadCount: Int) {
        self.storedByteCount = storedByteCount
        self.fileCount = fileCount
        self.uploadCount = uploadCount
    }
}

/// What the answers that a member still keeps have taken of the model.
package struct TokenUsage: Sendable, Hashable {
    package let promptTokenCount: Int
    package let completionTokenCount: Int

    package init(promptTokenCount: Int, completionTokenCount: Int) {
        self.promptTokenCount = promptTokenCount
        self.completionTokenCount = completionTokenCount
    }
}

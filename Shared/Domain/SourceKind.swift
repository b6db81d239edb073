/// What a question may draw on, by the words of the API.
package enum SourceKind: String, Sendable, Codable, CaseIterable, Hashable {
    /// The caller's own uploads.
    case mine
    /// Uploads that operators made for everybody.
    case shared
    /// Pages of the training materials.
    case training
}

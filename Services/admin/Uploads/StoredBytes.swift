import Domain
import ObjectStorage

/// What object storage holds of an upload.
struct StoredBytes: Encodable, Sendable, Equatable {
    enum Fault: String, Encodable {
        /// They are gone: nothing can bring them back.
        case missing
        /// They are there, and are not what was put there.
        case corrupt
        /// They are whole, and of another length than was written down.
        case otherLength = "other_length"
        /// Storage does not answer, or lacks the key they are sealed with.
        case unavailable
    }

    /// Nil when storage does not say.
    let isThere: Bool?
    /// As they were uploaded, sealed or not; nil when they cannot be read.
    let byteCount: Int?
    let fault: Fault?

    /// Asks for them without reading them.
    init(of attachment: Attachment, in storage: any ObjectStorage) async {
        do {
            let body = try await storage.get(key: attachment.storageKey, range: nil)
            isThere = true
            byteCount = body.byteCount
            fault = body.byteCount == attachment.byteCount ? nil : .otherLength
        } catch {
            byteCount = nil
            switch error {
            case .notFound: (isThere, fault) = (false, .missing)
            case .corrupt: (isThere, fault) = (true, .corrupt)
            default: (isThere, fault) = (nil, .unavailable)
            }
        }
    }

    private enum Key: String, CodingKey {
        case exists, bytes, fault
    }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(isThere, forKey: .exists)
        try body.encode(byteCount, forKey: .bytes)
        try body.encode(fault, forKey: .fault)
    }
}

import NIOCore

/// Counts and hashes bytes on their way into storage, and stops them beyond their limits.
struct IncomingBytes {
    /// A `put` that takes longer fails. Sweeps rely on it: what began more than a day ago and has
    /// no row will never get one.
    private static let durationMax: Duration = .seconds(12 * 3600)

    let byteCountMax: Int
    private(set) var byteCount = 0
    private let digest: SHA256Digest
    private let beganAt = ContinuousClock.now

    init(byteCountMax: Int) throws(ObjectStorageError) {
        self.byteCountMax = byteCountMax
        digest = try SHA256Digest()
    }

    mutating func take(_ buffer: ByteBuffer) throws(ObjectStorageError) {
        byteCount += buffer.readableBytes
        guard byteCount <= byteCountMax else { throw .tooLarge(byteCountMax: byteCountMax) }
        try requireInTime()
        try digest.update(buffer)
    }

    /// To be asked for before the object gets its name.
    func finish(key: String) throws -> StoredObject {
        // A cancelled task's sequence may end as if it were whole.
        try Task.checkCancellation()
        try requireInTime()
        return StoredObject(key: key, byteCount: byteCount, sha256: try digest.finish())
    }

    private func requireInTime() throws(ObjectStorageError) {
        guard ContinuousClock.now - beganAt < Self.durationMax else {
            throw .unavailable("storing took too long")
        }
    }
}

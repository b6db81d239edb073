package import FoundationEssentials
package import NIOCore

/// The raw bytes of uploads, by key.
///
/// An object is there as a whole or not at all, and never changes: a key is written once.
package protocol ObjectStorage: Sendable {
    /// Stores the bytes as they come. A failure, also of `bytes`, leaves nothing behind.
    ///
    /// The result says under which key: what is sealed gets a name that tells so.
    func put<Bytes: AsyncSequence & Sendable>(
        key: String, bytes: Bytes, byteCountMax: Int
    ) async throws(ObjectStorageError) -> StoredObject where Bytes.Element == ByteBuffer

    /// `range` counts bytes; nil is the whole object.
    func get(key: String, range: Range<Int>?) async throws(ObjectStorageError) -> ObjectBody

    /// Whether there is such an object, readable or not.
    func contains(key: String) async throws(ObjectStorageError) -> Bool

    /// An object that is not there is deleted already.
    func delete(key: String) async throws(ObjectStorageError)

    /// Objects whose keys begin with `prefix` and come after `after`, in the keys' order,
    /// `countMax` at most.
    func list(
        prefix: String, after: String?, countMax: Int
    ) async throws(ObjectStorageError) -> [ListedObject]

    /// Removes what a `put` began before this moment and never finished, its process having died.
    ///
    /// - Returns: how many.
    func removeUnfinished(before: Date) async throws(ObjectStorageError) -> Int
}

/// What was stored, measured on its way.
package struct StoredObject: Sendable, Hashable {
    /// What to ask for it by.
    package let key: String
    package let byteCount: Int
    package let sha256: [UInt8]
}

package struct ListedObject: Sendable, Hashable {
    package let key: String
    /// When its storing began or ended, whichever the storage remembers.
    package let storedAt: Date

    package init(key: String, storedAt: Date) {
        self.key = key
        self.storedAt = storedAt
    }
}

package enum ObjectStorageError: Error {
    case notFound
    /// More bytes came than were allowed; none are kept.
    case tooLarge(byteCountMax: Int)
    case invalidKey
    case rangeNotSatisfiable(byteCount: Int)
    /// What the bytes to store came from failed.
    case sourceFailed(any Error)
    /// The task that asked was cancelled.
    case cancelled
    /// What is stored is not what was put there.
    case corrupt(String)
    /// It is sealed with a key that is not among ours.
    case sealedWithAnotherKey
    /// The storage cannot be used now: full, away, or not ours to use.
    case unavailable(String)
    /// The settings name no storage that we know.
    case unusable(String)

    /// An error of a `put`, whoever threw it.
    init(puttingFailedBy error: any Error) {
        switch error {
        case let error as ObjectStorageError: self = error
        case is CancellationError: self = .cancelled
        default: self = .sourceFailed(error)
        }
    }
}

/// Which characters keys have: what every kind of storage takes as it is.
enum ObjectKey {
    private static let byteCountMax = 512

    static func requireValid(_ key: String) throws(ObjectStorageError) {
        guard isValid(key) else { throw .invalidKey }
    }

    static func isValid(_ key: String) -> Bool {
        key.utf8.count <= byteCountMax
            && key.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isValidPart)
    }

    private static func isValidPart(_ part: Substring) -> Bool {
        guard let first = part.utf8.first, first != UInt8(ascii: ".") else { return false }
        return part.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}

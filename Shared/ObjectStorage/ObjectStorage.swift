package import NIOCore

/// The raw bytes of uploads, by key.
///
/// An object is there as a whole or not at all, and never changes: a key is written once.
package protocol ObjectStorage: Sendable {
    /// Stores the bytes as they come. A failure, also of `bytes`, leaves nothing behind.
    func put<Bytes: AsyncSequence & Sendable>(
        key: String, bytes: Bytes, byteCountMax: Int
    ) async throws(ObjectStorageError) -> StoredObject where Bytes.Element == ByteBuffer

    /// `range` counts bytes; nil is the whole object.
    func get(key: String, range: Range<Int>?) async throws(ObjectStorageError) -> ObjectBody

    /// An object that is not there is deleted already.
    func delete(key: String) async throws(ObjectStorageError)

    /// Keys that begin with `prefix` and come after `after`, in order, `countMax` at most.
    func list(
        prefix: String, after: String?, countMax: Int
    ) async throws(ObjectStorageError) -> [String]
}

/// What was stored, measured on its way.
package struct StoredObject: Sendable, Hashable {
    package let byteCount: Int
    package let sha256: [UInt8]

    package init(byteCount: Int, sha256: [UInt8]) {
        self.byteCount = byteCount
        self.sha256 = sha256
    }
}

/// An object being read.
package struct ObjectBody: Sendable {
    /// Of the part that was asked for.
    package let byteCount: Int
    package let bytes: ObjectBytes
}

package enum ObjectStorageError: Error {
    case notFound
    /// More bytes came than were allowed; none are kept.
    case tooLarge(byteCountMax: Int)
    case invalidKey
    case rangeNotSatisfiable(byteCount: Int)
    /// What the bytes to store came from failed.
    case sourceFailed(any Error)
    /// The storage cannot be used now: full, away, or not ours to write to.
    case unavailable(String)
    /// The setting names no storage that we know.
    case unusable(String)
}

/// Which characters keys have: what every kind of storage takes as it is.
enum ObjectKey {
    private static let byteCountMax = 512

    static func requireValid(_ key: String) throws(ObjectStorageError) {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard key.utf8.count <= byteCountMax, parts.allSatisfy(isValid) else { throw .invalidKey }
    }

    private static func isValid(_ part: Substring) -> Bool {
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

/// The storage a setting names: `file:///absolute`, `file://./relative` or a path.
package func makeObjectStorage(uri: String) throws(ObjectStorageError) -> any ObjectStorage {
    if uri.hasPrefix("file://") {
        return try FolderStorage(root: String(uri.dropFirst("file://".count)))
    }
    if uri.contains("://") {
        throw .unusable("only folders can be used: file:///path, file://./path or a path")
    }
    return try FolderStorage(root: uri)
}

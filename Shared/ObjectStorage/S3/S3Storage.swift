package import FoundationEssentials
package import Logging
package import NIOCore

/// Objects in a bucket of S3, or of a server that speaks like it.
package struct S3Storage: ObjectStorage {
    private static let pageCountMax = 1000
    private let calls: S3Calls
    private let partByteCount: Int

    /// - Parameter partByteCount: what one upload keeps in memory, and sends at once.
    package init(_ location: S3Location, partByteCount: Int = 8 << 20, logger: Logger) {
        calls = S3Calls(location, logger: logger)
        self.partByteCount = partByteCount
    }

    var location: S3Location { calls.location }

    package func put<Bytes: AsyncSequence & Sendable>(
        key: String, bytes: Bytes, byteCountMax: Int
    ) async throws(ObjectStorageError) -> StoredObject where Bytes.Element == ByteBuffer {
        try ObjectKey.requireValid(key)
        var upload = S3Upload(calls: calls, key: key)
        do {
            var incoming = try IncomingBytes(
                byteCountMax: min(byteCountMax, partByteCount * S3Upload.partCountMax))
            var part = ByteBuffer()
            for try await var buffer in bytes {
                try incoming.take(buffer)
                while buffer.readableBytes > 0 {
                    if part.readableBytes == partByteCount {
                        try await upload.add(part)
                        part.clear()
                    }
                    var slice = buffer.split(atMost: partByteCount - part.readableBytes)
                    part.writeBuffer(&slice)
                }
            }
            let stored = try incoming.finish(key: key)
            try await upload.finish(part, byteCount: stored.byteCount)
            return stored
        } catch {
            await upload.discard()
            throw ObjectStorageError(puttingFailedBy: error)
        }
    }

    package func get(
        key: String, range: Range<Int>?
    ) async throws(ObjectStorageError) -> ObjectBody {
        try ObjectKey.requireValid(key)
        guard let facts = try await calls.facts(of: key) else { throw .notFound }
        return try ObjectBody(
            S3Reader(calls: calls, key: key, entityTag: facts.entityTag), range: range,
            of: facts.byteCount)
    }

    package func contains(key: String) async throws(ObjectStorageError) -> Bool {
        try ObjectKey.requireValid(key)
        return try await calls.facts(of: key) != nil
    }

    package func delete(key: String) async throws(ObjectStorageError) {
        try ObjectKey.requireValid(key)
        let answer = try await calls.send(
            S3Call(operation: "DeleteObject", method: .delete, key: key))
        if case .notFound = answer.failure, !answer.isSuccess { return }
        try answer.requireSuccess()
    }

    package func list(
        prefix: String, after: String?, countMax: Int
    ) async throws(ObjectStorageError) -> [ListedObject] {
        var found: [ListedObject] = []
        var continuation: String?
        while found.count < countMax {
            let page = try await calls.list(
                prefix: prefix, after: after, continuation: continuation,
                countMax: min(countMax - found.count, Self.pageCountMax))
            found += page.objects
            continuation = page.continuation
            if continuation == nil { break }
        }
        return found
    }

    package func removeUnfinished(before: Date) async throws(ObjectStorageError) -> Int {
        var count = 0
        var marker: S3Calls.UnfinishedPage.Marker?
        repeat {
            let page = try await calls.listUnfinished(after: marker)
            for upload in page.uploads where upload.beganAt < before {
                try await calls.abort(upload)
                count += 1
            }
            marker = page.next
        } while marker != nil
        return count
    }
}

/// Reads an object by ranges: as much as is wanted, when it is wanted, so that a slow reader holds
/// no connection.
private struct S3Reader: ObjectReader {
    let calls: S3Calls
    let key: String
    let entityTag: String?
    let pieceByteCount = 4 << 20

    func read(_ range: Range<Int>) async throws(ObjectStorageError) -> ByteBuffer {
        guard !range.isEmpty else { return ByteBuffer() }
        let answer = try await calls.send(
            S3Call(
                operation: "GetObject", method: .get, key: key, range: range,
                // A refusal may be longer than what was asked for.
                answerByteCountMax: max(range.count, 64 << 10)))
        try answer.requireSuccess()
        let isRange =
            answer.headers["content-range"]?.hasPrefix(
                "bytes \(range.lowerBound)-\(range.upperBound - 1)/") ?? (range.lowerBound == 0)
        guard isRange, answer.body.readableBytes == range.count else {
            throw .unavailable("the object store sent other bytes than were asked for")
        }
        guard answer.headers["etag"] == entityTag else {
            throw .corrupt("the object changed while it was read")
        }
        return answer.body
    }
}

extension ByteBuffer {
    /// Takes off the first bytes, without copying them.
    fileprivate mutating func split(atMost count: Int) -> ByteBuffer {
        readSlice(length: min(count, readableBytes)) ?? ByteBuffer()
    }
}

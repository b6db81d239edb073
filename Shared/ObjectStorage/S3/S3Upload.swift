import NIOCore

/// One object on its way: in one request when it fits in one part, else in several that become an
/// object by a last one.
struct S3Upload {
    static let partCountMax = 10_000

    let calls: S3Calls
    let key: String
    private var id: String?
    private var entityTags: [String] = []
    /// The object may be there, whatever we were told.
    private var mayBeStored = false

    init(calls: S3Calls, key: String) {
        self.calls = calls
        self.key = key
    }

    mutating func add(_ part: ByteBuffer) async throws(ObjectStorageError) {
        let id = try await begun()
        let answer = try await calls.send(
            S3Call(
                operation: "UploadPart", method: .put, key: key,
                query: [("partNumber", String(entityTags.count + 1)), ("uploadId", id)],
                body: part))
        try answer.requireSuccess()
        guard let tag = answer.headers["etag"], Self.isSafe(tag) else {
            throw .unavailable("the object store did not name a part")
        }
        entityTags.append(tag)
    }

    /// - Parameters:
    ///   - last: what was not added before; it may be empty only when the object is.
    ///   - byteCount: of the whole object.
    mutating func finish(_ last: ByteBuffer, byteCount: Int) async throws(ObjectStorageError) {
        guard id != nil else {
            mayBeStored = true
            return try await calls.send(
                S3Call(operation: "PutObject", method: .put, key: key, body: last)
            ).requireSuccess()
        }
        try await add(last)
        mayBeStored = true
        try await complete(byteCount: byteCount)
    }

    /// Leaves nothing, as far as the store can be reached; a sweep finds the rest.
    func discard() async {
        if let id {
            // Swept if it does not succeed.
            _ = try? await calls.sendForTidying(.abort(key: key, id: id))
        }
        if mayBeStored {
            // The same.
            _ = try? await calls.sendForTidying(
                S3Call(operation: "DeleteObject", method: .delete, key: key))
        }
    }

    private mutating func begun() async throws(ObjectStorageError) -> String {
        if let id { return id }
        let answer = try await calls.send(
            S3Call(
                operation: "CreateMultipartUpload", method: .post, key: key,
                query: [("uploads", "")]))
        try answer.requireSuccess()
        guard let new = XMLNode(answer.body)?["UploadId"], !new.isEmpty else {
            throw .unavailable("the object store did not name an upload")
        }
        id = new
        return new
    }

    /// An answer that was lost may have been yes, and asking again then says that there is no such
    /// upload: so the object itself decides.
    private func complete(byteCount: Int) async throws(ObjectStorageError) {
        let failure: ObjectStorageError
        do {
            let answer = try await calls.send(
                S3Call(
                    operation: "CompleteMultipartUpload", method: .post, key: key,
                    query: [("uploadId", id ?? "")], body: parts))
            if answer.isSuccess { return }
            failure = answer.failure
        } catch {
            failure = error
        }
        if case .cancelled = failure { throw failure }
        guard try await calls.facts(of: key)?.byteCount == byteCount else { throw failure }
    }

    private var parts: ByteBuffer {
        var text = "<CompleteMultipartUpload>"
        for (index, tag) in entityTags.enumerated() {
            text += "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag)</ETag></Part>"
        }
        return ByteBuffer(string: text + "</CompleteMultipartUpload>")
    }

    /// Goes back into XML as it is.
    private static func isSafe(_ tag: String) -> Bool {
        tag.utf8.count <= 256
            && tag.utf8.allSatisfy { byte in
                (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "<")
                    && byte != UInt8(ascii: "&")
            }
    }
}

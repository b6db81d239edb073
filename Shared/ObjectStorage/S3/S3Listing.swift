import FoundationEssentials

/// What S3 says about objects and unfinished uploads.
extension S3Calls {
    struct ObjectFacts {
        let byteCount: Int
        let entityTag: String?
    }

    /// Nil when there is no such object.
    func facts(of key: String) async throws(ObjectStorageError) -> ObjectFacts? {
        let answer = try await send(S3Call(operation: "HeadObject", method: .head, key: key))
        if answer.status == 404 {
            try await requireMissing(key)
            return nil
        }
        try answer.requireSuccess()
        guard let count = answer.headers["content-length"].flatMap({ Int($0) }), count >= 0 else {
            throw .unavailable("the object store did not say how long the object is")
        }
        return ObjectFacts(byteCount: count, entityTag: answer.headers["etag"])
    }

    /// A HEAD cannot say whether it is the object that is missing or the bucket.
    private func requireMissing(_ key: String) async throws(ObjectStorageError) {
        let answer = try await send(
            S3Call(operation: "GetObject", method: .get, key: key, range: 0..<1))
        if case .notFound = answer.failure { return }
        throw answer.failure
    }

    struct ListedPage {
        let objects: [ListedObject]
        let continuation: String?
    }

    func list(
        prefix: String, after: String?, continuation: String?, countMax: Int
    ) async throws(ObjectStorageError) -> ListedPage {
        var query: [(name: String, value: String)] = []
        if let continuation { query.append(("continuation-token", continuation)) }
        query += [
            ("list-type", "2"), ("max-keys", String(countMax)),
            ("prefix", location.prefix + prefix),
        ]
        if let after { query.append(("start-after", location.prefix + after)) }
        let document = try await document("ListObjectsV2", query)
        var objects: [ListedObject] = []
        for node in document.all("Contents") {
            guard let key = ownKey(node), ObjectKey.isValid(key) else { continue }
            objects.append(
                ListedObject(key: key, storedAt: try Self.time(node, "LastModified")))
        }
        let isMore = document["IsTruncated"] == "true"
        return ListedPage(
            objects: objects, continuation: isMore ? document["NextContinuationToken"] : nil)
    }

    struct UnfinishedUpload {
        let key: String
        let id: String
        let beganAt: Date
    }

    struct UnfinishedPage {
        struct Marker {
            let key: String
            let id: String
        }

        let uploads: [UnfinishedUpload]
        let next: Marker?
    }

    func listUnfinished(
        after marker: UnfinishedPage.Marker?
    ) async throws(ObjectStorageError) -> UnfinishedPage {
        var query: [(name: String, value: String)] = []
        if let marker { query.append(("key-marker", marker.key)) }
        query.append(("prefix", location.prefix))
        if let marker { query.append(("upload-id-marker", marker.id)) }
        query.append(("uploads", ""))
        let answer = try await answer("ListMultipartUploads", query)
        // So some servers say that there never was one in the bucket.
        if answer.errorCode == "NoSuchUpload" { return UnfinishedPage(uploads: [], next: nil) }
        let document = try Self.document(answer)
        var uploads: [UnfinishedUpload] = []
        for node in document.all("Upload") {
            guard let key = ownKey(node), ObjectKey.isValid(key), let id = node["UploadId"] else {
                continue
            }
            uploads.append(
                UnfinishedUpload(key: key, id: id, beganAt: try Self.time(node, "Initiated")))
        }
        let isMore = document["IsTruncated"] == "true"
        return UnfinishedPage(
            uploads: uploads,
            next: isMore
                ? document["NextKeyMarker"].map {
                    .init(key: $0, id: document["NextUploadIdMarker"] ?? "")
                } : nil)
    }

    /// One that ended meanwhile is aborted already.
    func abort(_ upload: UnfinishedUpload) async throws(ObjectStorageError) {
        let answer = try await send(.abort(key: upload.key, id: upload.id))
        if answer.errorCode != "NoSuchUpload" { try answer.requireSuccess() }
    }

    private func document(
        _ operation: String, _ query: [(name: String, value: String)]
    ) async throws(ObjectStorageError) -> XMLNode {
        try Self.document(try await answer(operation, query))
    }

    private func answer(
        _ operation: String, _ query: [(name: String, value: String)]
    ) async throws(ObjectStorageError) -> S3Answer {
        try await send(S3Call(operation: operation, method: .get, key: nil, query: query))
    }

    private static func document(_ answer: S3Answer) throws(ObjectStorageError) -> XMLNode {
        try answer.requireSuccess()
        guard let document = XMLNode(answer.body) else {
            throw .unavailable("the object store's answer cannot be read")
        }
        return document
    }

    private func ownKey(_ node: XMLNode) -> String? {
        guard let key = node["Key"], key.hasPrefix(location.prefix) else { return nil }
        return String(key.dropFirst(location.prefix.count))
    }

    private static func time(_ node: XMLNode, _ name: String) throws(ObjectStorageError) -> Date {
        let text = node[name] ?? ""
        for style in [
            Date.ISO8601FormatStyle(includingFractionalSeconds: true), Date.ISO8601FormatStyle(),
        ] {
            // The one that does not fit says so by throwing.
            if let date = try? style.parse(text) { return date }
        }
        throw .unavailable("the object store's times cannot be read")
    }
}

extension S3Call {
    static func abort(key: String, id: String) -> S3Call {
        S3Call(
            operation: "AbortMultipartUpload", method: .delete, key: key,
            query: [("uploadId", id)])
    }
}

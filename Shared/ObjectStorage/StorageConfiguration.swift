package import Logging

/// Where uploads are kept, and what they are sealed with.
package struct StorageConfiguration: Sendable {
    package enum Place: Sendable {
        case folder(String)
        case s3(S3Location)
    }

    package let place: Place
    /// The first seals new objects, all open; without any, new objects are stored as they are.
    package let encryptionKeys: [EncryptionKey]

    package init(place: Place, encryptionKeys: [EncryptionKey] = []) {
        self.place = place
        self.encryptionKeys = encryptionKeys
    }

    /// What `file:///absolute`, `file://./relative` or a path names; nil for another scheme.
    package static func folderPath(_ uri: String) -> String? {
        if uri.hasPrefix("file://") {
            let path = String(uri.dropFirst("file://".count))
            return path.isEmpty ? nil : path
        }
        return uri.contains("://") || uri.isEmpty ? nil : uri
    }
}

package func makeObjectStorage(
    _ configuration: StorageConfiguration, logger: Logger
) throws(ObjectStorageError) -> any ObjectStorage {
    let storage: any ObjectStorage =
        switch configuration.place {
        case .folder(let root): try FolderStorage(root: root)
        case .s3(let location): S3Storage(location, logger: logger)
        }
    return EncryptedStorage(storage, keys: configuration.encryptionKeys)
}

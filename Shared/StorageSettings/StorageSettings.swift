import FoundationEssentials
package import ObjectStorage
package import ServiceRuntime

/// Where uploads are kept: `UPLOADS_URI` and what belongs to it.
extension StorageConfiguration {
    /// Known to everybody, as they stand in the manuals of S3 servers.
    private static let publicSecrets: Set<String> = ["minioadmin", "rustfsadmin", "password"]
    private static let secretCharacterCountMin = 8

    package init(from reader: inout SettingsReader, certificateFile: String?) {
        let uri = reader.text("UPLOADS_URI", dev: "file://./uploads")
        let place: Place =
            if uri.hasPrefix(S3Address.scheme) {
                Self.s3(uri, from: &reader, certificateFile: certificateFile)
            } else {
                Self.folder(uri, from: &reader)
            }
        self.init(place: place, encryptionKeys: Self.keys(from: &reader))
    }

    private static func folder(_ uri: String, from reader: inout SettingsReader) -> Place {
        let path = folderPath(uri)
        // An empty one is reported as missing.
        if path == nil, !uri.isEmpty {
            reader.problem(
                "UPLOADS_URI must be file:///path, file://./path, a path or s3://bucket/prefix")
        }
        return .folder(path ?? "")
    }

    private static func s3(
        _ uri: String, from reader: inout SettingsReader, certificateFile: String?
    ) -> Place {
        let address = S3Address(uri)
        if address == nil {
            reader.problem(
                "UPLOADS_URI must be s3://bucket or s3://bucket/prefix, of letters, digits, "
                    + "hyphens, dots and underscores, without keys in it")
        }
        let endpoint = reader.optionalURL("S3_ENDPOINT_URL")
        if let endpoint, !isOnlyServer(endpoint) {
            reader.problem("S3_ENDPOINT_URL must be scheme, host and port, without anything else")
        }
        let region = reader.text("S3_REGION", default: "us-east-1")
        if !region.utf8.allSatisfy(isRegionCharacter) {
            reader.problem("S3_REGION must be letters, digits and hyphens")
        }
        let accessKeyID = reader.text("S3_ACCESS_KEY_ID")
        let secret = reader.secret("S3_SECRET_ACCESS_KEY")
        if reader.appEnvironment == .prod, !secret.isEmpty, isGuessable(secret) {
            reader.problem("S3_SECRET_ACCESS_KEY is one that can be guessed")
        }
        guard let address else { return .folder("") }
        return .s3(
            S3Location(
                address, endpoint: endpoint, region: region, accessKeyID: accessKeyID,
                secretAccessKey: secret, certificateFile: certificateFile))
    }

    private static func keys(from reader: inout SettingsReader) -> [EncryptionKey] {
        let texts = reader.list("UPLOADS_ENCRYPTION_KEY")
        let keys = texts.compactMap { EncryptionKey($0) }
        if keys.count != texts.count {
            reader.problem(
                "UPLOADS_ENCRYPTION_KEY must be base64 of 32 random bytes "
                    + "(openssl rand -base64 32), or several with commas between")
        } else if Set(keys).count != keys.count {
            reader.problem("UPLOADS_ENCRYPTION_KEY names a key twice")
        }
        return keys
    }

    private static func isOnlyServer(_ endpoint: String) -> Bool {
        guard let url = URL(string: endpoint) else { return false }
        return url.user() == nil && url.password() == nil && url.path().isEmpty
    }

    private static func isRegionCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func isGuessable(_ secret: String) -> Bool {
        publicSecrets.contains(secret) || secret.count < secretCharacterCountMin
    }
}

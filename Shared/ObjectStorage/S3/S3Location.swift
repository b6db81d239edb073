/// A bucket, where in it our objects are, and who we are there.
package struct S3Location: Sendable {
    let bucket: String
    /// What every key of ours begins with in the bucket: empty, or ending in a slash.
    let prefix: String
    let region: String
    /// Scheme, host and what may come before the key, ending in a slash.
    private let root: String
    let accessKeyID: String
    let secretAccessKey: String
    /// Authorities to trust instead of the system's.
    let certificateFile: String?

    /// - Parameters:
    ///   - endpoint: a server other than Amazon's, without a slash at its end; it is asked for
    ///     `/bucket/key`.
    package init(
        _ address: S3Address, endpoint: String?, region: String, accessKeyID: String,
        secretAccessKey: String, certificateFile: String?
    ) {
        bucket = address.bucket
        prefix = address.prefix
        self.region = region
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.certificateFile = certificateFile
        let amazon = "s3.\(region).amazonaws.com"
        if let endpoint {
            root = "\(endpoint)/\(bucket)/"
        } else if bucket.contains(".") {
            // Amazon's certificate covers one label before its name.
            root = "https://\(amazon)/\(bucket)/"
        } else {
            root = "https://\(bucket).\(amazon)/"
        }
    }

    /// - Parameter query: in the order of the names, since libcurl signs it as it stands.
    func url(key: String?, query: [(name: String, value: String)]) -> String {
        let path = key.map { root + prefix + $0 } ?? root
        guard !query.isEmpty else { return path }
        let pairs = query.map { "\($0.name)=\(Self.percentEncoded($0.value))" }
        return path + "?" + pairs.joined(separator: "&")
    }

    var curlSettings: CurlSettings {
        CurlSettings(
            signing: "aws:amz:\(region):s3", accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey, certificateFile: certificateFile)
    }

    private static func percentEncoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}

/// `s3://bucket` or `s3://bucket/prefix`.
package struct S3Address: Sendable, Hashable {
    package static let scheme = "s3://"
    package let bucket: String
    /// Empty, or ending in a slash.
    package let prefix: String

    /// Nil when bucket or prefix could not be part of an address and a signature as they are.
    package init?(_ uri: String) {
        guard uri.hasPrefix(Self.scheme) else { return nil }
        let parts = uri.dropFirst(Self.scheme.count).split(
            separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let bucket = String(parts[0])
        guard (3...63).contains(bucket.utf8.count), ObjectKey.isValid(bucket),
            bucket == bucket.lowercased()
        else { return nil }
        self.bucket = bucket
        var prefix = parts.count > 1 ? parts[1] : ""
        while prefix.hasSuffix("/") { prefix.removeLast() }
        guard prefix.isEmpty || ObjectKey.isValid(String(prefix)) else { return nil }
        self.prefix = prefix.isEmpty ? "" : prefix + "/"
    }
}

/// Says nothing of the keys, wherever it is printed.
extension S3Location: CustomStringConvertible, CustomReflectable {
    package var description: String { "\(S3Address.scheme)\(bucket)/\(prefix)" }
    package var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}

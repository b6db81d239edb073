/// The boundary a `multipart/form-data` content type names (RFC 2046, section 5.1.1).
package struct MultipartBoundary: Sendable, Hashable {
    package let bytes: [UInt8]

    /// Reads it from a `Content-Type` header.
    package init(contentType: String?) throws(MultipartError) {
        guard let contentType,
            let value = HeaderParameters(contentType),
            value.token == "multipart/form-data",
            let boundary = value.parameters["boundary"]
        else { throw .notMultipart }
        let bytes = Array(boundary.utf8)
        guard (1...70).contains(bytes.count), bytes.last != UInt8(ascii: " "),
            bytes.allSatisfy(Self.isAllowed)
        else { throw .notMultipart }
        self.bytes = bytes
    }

    private static let punctuation = Set("'()+_,-./:=? ".utf8)

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: punctuation.contains(byte)
        }
    }
}

import NIOCore

/// The one vector of a request that names it several times: a question's, in all its searches.
///
/// Writing a thousand numbers takes an encoder longer than all the rest of a request: so they are written
/// once, and put into the places that were kept for them.
struct SharedVector: Encodable {
    /// No name in our requests looks like it: those of owners begin with a word and a colon, the others
    /// are ours.
    private static let place = "@vector"

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Self.place)
    }

    /// - Parameter vector: finite numbers.
    static func inserted(_ vector: [Float], into json: ByteBuffer) -> ByteBuffer {
        let place = Array("\"\(place)\"".utf8)
        let numbers = ByteBuffer(string: "[\(vector.map(\.description).joined(separator: ","))]")
        var whole = ByteBuffer()
        whole.reserveCapacity(json.readableBytes + 4 * numbers.readableBytes)
        var rest = json.readableBytesView[...]
        while let found = rest.firstRange(of: place) {
            whole.writeBytes(rest[..<found.lowerBound])
            whole.writeImmutableBuffer(numbers)
            rest = rest[found.upperBound...]
        }
        whole.writeBytes(rest)
        return whole
    }
}

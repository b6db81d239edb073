package import NIOCore

/// An object being read.
package struct ObjectBody: Sendable {
    /// Of the part that was asked for.
    package let byteCount: Int
    package let bytes: ObjectBytes

    /// - Parameters:
    ///   - range: what was asked for; nil is all of it.
    ///   - byteCount: of the whole object.
    init(
        _ reader: any ObjectReader, range: Range<Int>?, of byteCount: Int
    ) throws(ObjectStorageError) {
        let wanted = range ?? 0..<byteCount
        guard wanted.lowerBound >= 0, wanted.upperBound <= byteCount else {
            throw .rangeNotSatisfiable(byteCount: byteCount)
        }
        self.byteCount = wanted.count
        bytes = ObjectBytes(reader: reader, range: wanted)
    }
}

/// Reads one object, anywhere in it.
protocol ObjectReader: Sendable {
    /// What is read well in one go.
    var pieceByteCount: Int { get }

    /// Exactly these bytes, which are inside the object.
    func read(_ range: Range<Int>) async throws(ObjectStorageError) -> ByteBuffer
}

/// An object's bytes, read a piece at a time as they are asked for, by any number of readers.
package struct ObjectBytes: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    let reader: any ObjectReader
    let range: Range<Int>

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(reader: reader, range: range)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let reader: any ObjectReader
        var range: Range<Int>

        package mutating func next() async throws -> ByteBuffer? {
            guard !range.isEmpty else { return nil }
            try Task.checkCancellation()
            // Pieces end at multiples of their size, so that no frame of a sealed one is read twice.
            let size = reader.pieceByteCount
            let end = Swift.min(range.upperBound, (range.lowerBound / size + 1) * size)
            let buffer = try await reader.read(range.lowerBound..<end)
            range = end..<range.upperBound
            return buffer
        }
    }
}

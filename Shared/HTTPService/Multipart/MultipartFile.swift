package import NIOCore
import Synchronization

/// The bytes of the one file field of a `multipart/form-data` body, as they arrive.
///
/// Iterating to the end reads the whole body and proves it: a stream that ends early, breaks the
/// format, has no such field or more than `byteCountMax` bytes of it throws `MultipartError`.
/// What the part's headers say is there from its first bytes on. It is iterated once.
package final class MultipartFile<Body>: AsyncSequence, Sendable
where Body: AsyncSequence & Sendable, Body.Element == ByteBuffer {
    package typealias Element = ByteBuffer
    package typealias Failure = any Error

    private let body: Body
    private let boundary: MultipartBoundary
    private let field: String
    private let byteCountMax: Int
    private let limits: MultipartLimits
    private let found = Mutex<MultipartHeader?>(nil)

    package init(
        _ body: Body, boundary: MultipartBoundary, field: String, byteCountMax: Int,
        limits: MultipartLimits = .init()
    ) {
        self.body = body
        self.boundary = boundary
        self.field = field
        self.byteCountMax = byteCountMax
        self.limits = limits
    }

    /// The file part's headers; nil until they have been read.
    package var header: MultipartHeader? { found.withLock { $0 } }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(
            file: self, source: body.makeAsyncIterator(),
            parser: MultipartParser(boundary: boundary, limits: limits))
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let file: MultipartFile
        fileprivate var source: Body.AsyncIterator
        fileprivate var parser: MultipartParser
        private var isInFile = false
        private var isFound = false
        private var fileByteCount = 0
        private var fieldByteCount = 0

        fileprivate init(
            file: MultipartFile, source: Body.AsyncIterator, parser: MultipartParser
        ) {
            self.file = file
            self.source = source
            self.parser = parser
        }

        package mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws -> ByteBuffer? {
            while true {
                while let event = try parser.next() {
                    if let bytes = try take(event) { return bytes }
                }
                guard let more = try await source.next(isolation: actor) else { break }
                parser.append(more)
            }
            try parser.finish()
            guard isFound else { throw MultipartError.fieldMissing(file.field) }
            return nil
        }

        /// The bytes, when the event brings some of the file.
        private mutating func take(
            _ event: MultipartParser.Event
        ) throws(MultipartError) -> ByteBuffer? {
            switch event {
            case .partBegan(let header):
                isInFile = header.name == file.field && header.filename != nil
                fieldByteCount = 0
                guard isInFile else { return nil }
                guard !isFound else { throw .malformed("more than one file") }
                isFound = true
                file.found.withLock { $0 = header }
            case .bytes(let bytes) where isInFile:
                fileByteCount += bytes.readableBytes
                guard fileByteCount <= file.byteCountMax else { throw .fileTooLarge }
                return bytes
            case .bytes(let bytes):
                fieldByteCount += bytes.readableBytes
                guard fieldByteCount <= file.limits.fieldByteCountMax else {
                    throw .tooMuch("bytes in a field")
                }
            case .partEnded: isInFile = false
            }
            return nil
        }
    }
}

import Database
import Domain
import HTTPService
import HTTPTypes
import Hummingbird
import NIOCore
import ObjectStorage
import Synchronization

/// Takes the file of a request into storage as it arrives: counted, hashed and looked at on the
/// way, never whole in memory.
struct UploadReceiving: Sendable {
    let storage: any ObjectStorage
    let byteCountMax: Int

    /// Of `multipart/form-data` around a file: only a length beyond this is too much for certain.
    private static let framingByteCountMax = 64 << 10

    func receive(_ request: Request) async throws -> ReceivedFile {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }),
            length > byteCountMax + Self.framingByteCountMax
        {
            throw tooLarge
        }
        let boundary = try boundary(of: request)
        let file = UploadedFile(
            MultipartFile(
                request.body, boundary: boundary, field: "file", byteCountMax: byteCountMax))
        let stored: StoredObject
        do {
            stored = try await storage.put(
                key: UploadKey.new(), bytes: file, byteCountMax: byteCountMax)
        } catch {
            throw problem(of: file.failure ?? error)
        }
        do {
            guard let type = file.type else { throw UploadedFile.Unreadable() }
            guard stored.byteCount > 0 else { throw MultipartError.malformed("the file is empty") }
            return ReceivedFile(
                filename: file.filename, contentType: type.rawValue, storageKey: stored.key,
                byteCount: stored.byteCount, sha256: stored.sha256)
        } catch {
            try await storage.delete(key: stored.key)
            throw problem(of: error)
        }
    }

    private func boundary(of request: Request) throws -> MultipartBoundary {
        do {
            return try MultipartBoundary(contentType: request.headers[.contentType])
        } catch {
            throw problem(of: error)
        }
    }

    private func problem(of error: any Error) -> any Error {
        switch error {
        case MultipartError.fileTooLarge: tooLarge
        case is UploadedFile.Unreadable:
            Problem(
                .unsupportedMediaType, code: "unsupported_type",
                detail: "Files of this type cannot be read. Documents, tables, presentations, "
                    + "mails, pictures and text can.")
        case MultipartError.fieldMissing:
            Problem.invalid("/file", "A file is needed in the form field `file`.")
        case MultipartError.notMultipart:
            Problem.invalid("", "The body must be multipart/form-data with a field `file`.")
        case MultipartError.malformed(let what):
            Problem.invalid("/file", "The upload is broken: \(what).")
        case MultipartError.tooMuch(let what):
            Problem.invalid("", "The form is too large: too many \(what).")
        default: error
        }
    }

    private var tooLarge: Problem {
        Problem(
            .contentTooLarge, code: "file_too_large",
            detail: "File too large (max \(byteCountMax >> 20)MB)")
    }
}

/// A file that is in storage and not yet anybody's.
struct ReceivedFile: Sendable {
    let filename: Filename
    let contentType: String
    let storageKey: String
    let byteCount: Int
    let sha256: [UInt8]

    func attachment(owner: Owner) -> NewAttachment {
        NewAttachment(
            id: Attachment.ID(), owner: owner, filename: filename.text, contentType: contentType,
            byteCount: byteCount, sha256: sha256, storageKey: storageKey)
    }
}

/// The bytes of an upload on their way to storage; stops them as soon as they are of no type that
/// can be read.
final class UploadedFile: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    typealias Failure = any Error
    typealias Source = MultipartFile<RequestBody>

    /// Of a type that we cannot read.
    struct Unreadable: Error {}

    private struct Findings {
        var type: FileType?
        var failure: (any Error)?
    }

    private let source: Source
    private let findings = Mutex(Findings())

    init(_ source: Source) { self.source = source }

    var filename: Filename { Filename(source.header?.filename ?? "") }
    /// Nil until all of it was seen, and when it is no text.
    var type: FileType? { findings.withLock { $0.type } }
    /// What stopped it, as it was thrown: storage may wrap it.
    var failure: (any Error)? { findings.withLock { $0.failure } }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(file: self, source: source.makeAsyncIterator())
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let file: UploadedFile
        fileprivate var source: Source.AsyncIterator
        private var detection = FileDetection()

        fileprivate init(file: UploadedFile, source: Source.AsyncIterator) {
            self.file = file
            self.source = source
        }

        mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws -> ByteBuffer? {
            do {
                guard let bytes = try await source.next(isolation: actor) else {
                    let type = detection.finish(filename: file.filename)
                    file.findings.withLock { $0.type = type }
                    return nil
                }
                guard detection.take(bytes) else { throw Unreadable() }
                return bytes
            } catch {
                file.findings.withLock { $0.failure = error }
                throw error
            }
        }
    }
}

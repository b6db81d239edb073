import Domain
import Logging
import NIOCore

/// Requests to S3: signed, and sent again where that is safe and may help.
struct S3Calls: Sendable {
    /// An answer that is XML: a list of a thousand objects is under 1 MiB.
    static let documentByteCountMax = 4 << 20
    private static let requestMax: Duration = .seconds(60)
    /// Of all attempts together, the pauses between them included.
    private static let totalMax: Duration = .seconds(120)
    private static let attemptCountMax = 4
    private static let pauseMilliseconds = (first: 100, max: 2_000)

    let location: S3Location
    private let connections: CurlConnections
    private let logger: Logger

    init(_ location: S3Location, logger: Logger) {
        self.location = location
        self.logger = logger
        connections = CurlConnections(location.curlSettings)
    }

    /// All that we send may be sent twice: parts and objects are replaced by themselves, and a second
    /// unfinished upload is swept. Whoever completes an upload must look what became of it.
    func send(_ call: S3Call) async throws(ObjectStorageError) -> S3Answer {
        let request = try request(call, within: Self.requestMax)
        let end = ContinuousClock.now + Self.totalMax
        var attempt = 1
        while true {
            let outcome = await outcome(request, of: call)
            switch outcome {
            case .failure(.cancelled): throw .cancelled
            case .success(let answer) where !answer.isWorthAnotherTry: return answer
            default: break
            }
            guard attempt < Self.attemptCountMax, .now < end else {
                return try Self.last(outcome)
            }
            logger.warning(
                "asking the object store again",
                metadata: [
                    "s3.operation": "\(call.operation)", "reason": "\(Self.reason(outcome))",
                ])
            try await pause(after: attempt)
            attempt += 1
        }
    }

    /// For tidying up after a failure: also in a cancelled task, once, and not for long.
    func sendForTidying(_ call: S3Call) async throws(ObjectStorageError) -> S3Answer {
        let request = try request(call, within: .seconds(10))
        do {
            let answer = try await connections.send(request, isCancellable: false)
            return S3Answer(answer, of: call)
        } catch {
            throw Self.failure(error)
        }
    }

    private func request(
        _ call: S3Call, within duration: Duration
    ) throws(ObjectStorageError) -> CurlRequest {
        var request = CurlRequest(
            method: call.method, url: location.url(key: call.key, query: call.query),
            body: call.body, answerByteCountMax: call.answerByteCountMax, duration: duration)
        request.headers.append(
            ("x-amz-content-sha256", hexadecimal(try SHA256Digest.of(call.body))))
        if call.method == .post {
            // Becomes the object's; libcurl would say that it is a form.
            request.headers.append(("Content-Type", "application/octet-stream"))
        }
        if let range = call.range {
            request.headers.append(("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
        }
        return request
    }

    private func outcome(
        _ request: CurlRequest, of call: S3Call
    ) async -> Result<S3Answer, CurlError> {
        do {
            return .success(S3Answer(try await connections.send(request), of: call))
        } catch {
            return .failure(error)
        }
    }

    /// With jitter, so that many that failed together do not come back together.
    private func pause(after attempt: Int) async throws(ObjectStorageError) {
        let limit = min(
            Self.pauseMilliseconds.max, Self.pauseMilliseconds.first << (attempt - 1))
        do {
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...limit)))
        } catch {
            throw .cancelled
        }
    }

    private static func last(
        _ outcome: Result<S3Answer, CurlError>
    ) throws(ObjectStorageError) -> S3Answer {
        switch outcome {
        case .success(let answer): return answer
        case .failure(let error): throw failure(error)
        }
    }

    private static func reason(_ outcome: Result<S3Answer, CurlError>) -> String {
        switch outcome {
        case .success(let answer): "\(answer.status) \(answer.errorCode)"
        case .failure(let error): "\(error)"
        }
    }

    private static func failure(_ error: CurlError) -> ObjectStorageError {
        switch error {
        case .cancelled: .cancelled
        case .failed(let reason): .unavailable(reason)
        case .answerTooLarge: .unavailable("the object store answers more than was asked for")
        case .busy: .unavailable("too many requests are waiting for the object store")
        }
    }
}

/// One request, in S3's terms.
struct S3Call: Sendable {
    /// For logs.
    let operation: String
    let method: CurlRequest.Method
    /// Nil is the bucket.
    let key: String?
    /// In the order of the names.
    var query: [(name: String, value: String)] = []
    var range: Range<Int>?
    var body = ByteBuffer()
    var answerByteCountMax = S3Calls.documentByteCountMax
}

struct S3Answer: Sendable {
    let status: Int
    let headers: [String: String]
    let body: ByteBuffer
    /// S3's word for what is wrong; empty when nothing is, or it does not say.
    let errorCode: String

    init(_ answer: CurlAnswer, of call: S3Call) {
        // An object's own bytes may look like an error.
        let isObject = call.range != nil && answer.status < 300
        errorCode = isObject ? "" : Self.errorCode(in: answer.body)
        status = answer.status
        headers = answer.headers
        body = answer.body
    }

    var isSuccess: Bool { (200...299).contains(status) && errorCode.isEmpty }

    /// Some operations fail with a status of 200.
    private static func errorCode(in body: ByteBuffer) -> String {
        guard body.readableBytes <= 64 << 10, let root = XMLNode(body), root.name == "Error" else {
            return ""
        }
        return String((root["Code"] ?? "").prefix(64).filter { $0.isASCII && $0.isLetter })
    }

    var isWorthAnotherTry: Bool {
        switch status {
        case 408, 429, 500, 502, 503, 504: true
        default: ["RequestTimeout", "SlowDown", "InternalError"].contains(errorCode)
        }
    }

    var failure: ObjectStorageError {
        errorCode == "NoSuchKey"
            ? .notFound : .unavailable("the object store answered \(status) \(errorCode)")
    }

    func requireSuccess() throws(ObjectStorageError) {
        guard isSuccess else { throw failure }
    }
}

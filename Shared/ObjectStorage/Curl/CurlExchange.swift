import NIOCore

/// One HTTP request whose body and answer fit in memory.
struct CurlRequest: Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    let method: Method
    let url: String
    var headers: [(name: String, value: String)] = []
    var body = ByteBuffer()
    /// A longer answer is refused.
    let answerByteCountMax: Int
    /// From the first byte sent to the last one received, connecting included.
    let duration: Duration
}

struct CurlAnswer: Sendable {
    let status: Int
    /// Of those headers that somebody here looks at, in lower case.
    let headers: [String: String]
    let body: ByteBuffer
}

enum CurlError: Error, Equatable {
    case cancelled
    /// No answer, or half of one. The library's own words, which name neither host nor key.
    case failed(String)
    case answerTooLarge
    /// All connections have a queue in front of them.
    case busy
}

/// How all requests of one kind are sent.
struct CurlSettings: Sendable {
    /// For SigV4: `aws:amz:REGION:SERVICE`.
    let signing: String
    let accessKeyID: String
    let secretAccessKey: String
    /// Authorities to trust instead of the system's.
    let certificateFile: String?
}

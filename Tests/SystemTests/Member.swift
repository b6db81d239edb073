import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// A whole answer of the API.
struct Answer {
    let status: Int
    let headers: HTTPHeaders
    let bytes: [UInt8]

    var text: String { String(decoding: bytes, as: UTF8.self) }

    var json: [String: Any] {
        // Not JSON is an empty object: the expectation on a field then fails and shows the answer.
        (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any] ?? [:]
    }

    subscript(_ key: String) -> String? { json[key] as? String }

    func items(_ key: String) -> [[String: Any]] { json[key] as? [[String: Any]] ?? [] }
}

/// An answer to a question, read to its end.
struct Reply {
    let bytes: [UInt8]
    let events: [AnswerEvent]
    /// When each chunk of bytes arrived, in seconds from the request.
    let arrivals: [Double]

    var text: String { events.filter { $0.type == "token" }.map(\.text).joined() }
    var conversationID: String { fields("meta")["conversation_id"] as? String ?? "" }
    var messageID: String { fields("meta")["message_id"] as? String ?? "" }
    var sources: [[String: Any]] {
        events.first { $0.type == "sources" }?.data as? [[String: Any]] ?? []
    }
    var firstPath: String? {
        (sources.first?["metadata"] as? [String: Any])?["path"] as? String
    }

    func fields(_ type: String) -> [String: Any] { events.first { $0.type == type }?.fields ?? [:] }
}

/// Somebody with a token, speaking to one gateway.
struct Member {
    let address: String
    let token: String
    let deadline: TimeAmount = .seconds(90)

    /// The same member, at another gateway.
    func at(_ replica: Deployment.Replica) -> Member {
        Member(address: replica.address, token: token)
    }

    func send(
        _ method: HTTPMethod, _ path: String, body: [UInt8]? = nil, contentType: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        let response = try await start(
            method, path, body: body, contentType: contentType, headers: headers)
        let bytes = try await response.body.collect(upTo: 16 << 20)
        return Answer(
            status: Int(response.status.code), headers: response.headers,
            bytes: Array(buffer: bytes))
    }

    func get(_ path: String) async throws -> Answer { try await send(.GET, path) }

    func delete(_ path: String) async throws -> Answer { try await send(.DELETE, path) }

    func post(_ path: String, _ json: [String: Any] = [:]) async throws -> Answer {
        try await send(
            .POST, path, body: Array(try JSONSerialization.data(withJSONObject: json)),
            contentType: "application/json")
    }

    func upload(
        _ name: String, _ text: String, to path: String = "/upload?wait=50"
    ) async throws -> Answer {
        try await upload(name, Array(text.utf8), to: path)
    }

    func upload(
        _ name: String, _ bytes: [UInt8], to path: String = "/upload?wait=50",
        headers: [(String, String)] = []
    ) async throws -> Answer {
        let boundary = "boundary-\(UUID().uuidString)"
        let head = """
            --\(boundary)\r
            Content-Disposition: form-data; name="file"; filename="\(name)"\r
            Content-Type: application/octet-stream\r
            \r

            """
        return try await send(
            .POST, path, body: Array(head.utf8) + bytes + Array("\r\n--\(boundary)--\r\n".utf8),
            contentType: "multipart/form-data; boundary=\(boundary)", headers: headers)
    }

    func search(_ query: String, _ more: [String: Any] = [:]) async throws -> Answer {
        try await post("/search", ["query": query].merging(more) { $1 })
    }

    func ask(_ message: String, _ more: [String: Any] = [:]) async throws -> Reply {
        let began = ContinuousClock.now
        let json = try JSONSerialization.data(
            withJSONObject: ["message": message].merging(more) { $1 })
        let response = try await start(
            .POST, "/chat", body: Array(json), contentType: "application/json", headers: [])
        var bytes: [UInt8] = []
        var arrivals: [Double] = []
        for try await buffer in response.body {
            bytes += Array(buffer: buffer)
            let elapsed = began.duration(to: .now).components
            arrivals.append(Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18)
        }
        guard response.status == .ok else {
            throw NotAStream(
                description: "\(response.status): \(String(decoding: bytes, as: UTF8.self))")
        }
        let (events, isEnded) = try EventReaders.strict(bytes)
        guard isEnded else { throw NotAStream(description: "the stream has no sentinel") }
        return Reply(bytes: bytes, events: events, arrivals: arrivals)
    }

    /// Begins a question and goes away after the first event, or that many bytes if they are more.
    func askAndLeave(
        _ message: String, after byteCount: Int = 0
    ) async throws -> (conversation: String, message: String) {
        let json = try JSONSerialization.data(withJSONObject: ["message": message])
        let response = try await start(
            .POST, "/chat", body: Array(json), contentType: "application/json", headers: [])
        var bytes: [UInt8] = []
        for try await buffer in response.body {
            bytes += Array(buffer: buffer)
            if bytes.count >= byteCount, try !EventReaders.splitting(bytes).isEmpty { break }
        }
        guard let first = try EventReaders.splitting(bytes).first else {
            throw NotAStream(description: "it ended before its first event")
        }
        return (
            first.fields["conversation_id"] as? String ?? "",
            first.fields["message_id"] as? String ?? ""
        )
    }

    /// Reads a stream until it ends, or for that many bytes. A connection that breaks ends it too.
    func follow(
        _ method: HTTPMethod, _ path: String, _ json: [String: Any]? = nil,
        headers: [(String, String)] = [], byteCountMax: Int = .max
    ) async throws -> (status: Int, bytes: [UInt8]) {
        let body = try json.map { Array(try JSONSerialization.data(withJSONObject: $0)) }
        let response = try await start(
            method, path, body: body, contentType: body.map { _ in "application/json" },
            headers: headers)
        var bytes: [UInt8] = []
        do {
            for try await buffer in response.body {
                bytes += Array(buffer: buffer)
                if bytes.count >= byteCountMax { break }
            }
        } catch {
            // Of a process that was killed; what came before it counts.
        }
        return (Int(response.status.code), bytes)
    }

    private func start(
        _ method: HTTPMethod, _ path: String, body: [UInt8]?, contentType: String?,
        headers: [(String, String)]
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: address + path)
        request.method = method
        if !token.isEmpty { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let contentType { request.headers.add(name: "Content-Type", value: contentType) }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        return try await HTTPClient.shared.execute(request, timeout: deadline)
    }
}

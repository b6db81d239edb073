import FoundationEssentials
import Identity
import NIOCore
import NIOHTTP1

/// A whole response of the gateway's own.
struct Answer: Sendable {
    let status: HTTPResponseStatus
    var headers: HTTPHeaders
    let body: ByteBuffer

    static func json(_ value: some Encodable, status: HTTPResponseStatus = .ok) -> Answer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return json(bytes: Array(try encoder.encode(value)), status: status)
        } catch {
            // Strings, numbers and lists always encode; the compiler cannot know.
            return Answer(status: .internalServerError, headers: [:], body: ByteBuffer())
        }
    }

    static func json(bytes: [UInt8], status: HTTPResponseStatus = .ok) -> Answer {
        Answer(
            status: status,
            headers: ["Content-Type": "application/json", "Cache-Control": "no-store"],
            body: ByteBuffer(bytes: bytes))
    }

    /// As it is on the wire, the last message of its connection.
    func closingMessage(requestID: String) -> ByteBuffer {
        var headers = headers
        HeaderRules.addOurs(to: &headers, requestID: requestID)
        headers.add(name: "Content-Length", value: String(body.readableBytes))
        headers.add(name: "Connection", value: "close")
        var text = "HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        var message = ByteBuffer(string: text + "\r\n")
        message.writeImmutableBuffer(body)
        return message
    }

    static let health = json(["status": "ok"])
    static let ready = json(["status": "ready"])
    static let notReady = json(["status": "not_ready"], status: .serviceUnavailable)
    static let ping = json(["ok": true])
    static let document: Answer = {
        var answer = json(bytes: PackageResources.openapi_json)
        answer.headers.replaceOrAdd(name: "Cache-Control", value: "no-cache")
        return answer
    }()

    static func user(_ caller: Caller) -> Answer { json(Profile(caller)) }

    /// What a browser may send from an origin that is let in.
    static func preflight(methods: [HTTPMethod]) -> Answer {
        Answer(
            status: .noContent,
            headers: [
                "Access-Control-Allow-Methods": methods.map(\.rawValue).joined(separator: ", "),
                "Access-Control-Allow-Headers":
                    "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id",
                "Access-Control-Max-Age": "600",
            ],
            body: ByteBuffer())
    }
}

/// The caller's claims under the names that different clients know.
private struct Profile: Encodable {
    let caller: Caller

    init(_ caller: Caller) { self.caller = caller }

    private enum CodingKeys: String, CodingKey {
        case sub, email, name, username, groups
        case userID = "user_id"
        case preferredUsername = "preferred_username"
        case fullName = "full_name"
        case firstName = "first_name"
        case lastName = "last_name"
        case isAdmin = "is_admin"
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(caller.sub, forKey: .sub)
        try fields.encode(caller.sub, forKey: .userID)
        try fields.encode(caller.email, forKey: .email)
        try fields.encode(caller.name, forKey: .name)
        try fields.encode(caller.name, forKey: .fullName)
        try fields.encode(caller.preferredUsername, forKey: .username)
        try fields.encode(caller.preferredUsername, forKey: .preferredUsername)
        try fields.encode(caller.givenName, forKey: .firstName)
        try fields.encode(caller.familyName, forKey: .lastName)
        try fields.encode(caller.groups, forKey: .groups)
        try fields.encode(caller.isAdmin, forKey: .isAdmin)
    }
}

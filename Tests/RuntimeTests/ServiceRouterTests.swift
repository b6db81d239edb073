import Domain
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Identity
import Logging
import NIOCore
import ServiceRuntime
import Testing

@Suite("Service router")
struct ServiceRouterTests {
    private struct Body: Decodable {
        let message: String
        let ids: [Domain.Attachment.ID]?
    }
    private struct Secret: Error { let text = "password=1" }

    private func test(_ body: @Sendable (any TestClientProtocol) async throws -> Void) async throws
    {
        let router = serviceRouter()
        let members = router.members(
            PrincipalMiddleware { token in
                guard token == "good" else { throw Secret() }
                return Caller(sub: "alice")
            })
        members.get("who") { _, context in context.principal.user.rawValue }
        members.get("things/:id") { _, context in
            try context.parameters.id("id", as: Domain.Attachment.ID.self).description
        }
        router.get("fails") { _, _ -> String in throw Secret() }
        router.get("page") { request, _ in
            // A list of the numbers from 0 to 499.
            let paging = try Paging(request, PageSize(50, most: 200), alias: "after")
            let start = try paging.place { Int($0) }.map { $0 + 1 } ?? paging.offset
            let rows = Array((start..<500).prefix(paging.rowCountMax))
            return try JSONResponse.make(
                .ok, Page(rows, paging, total: 500, place: { String($0) }, item: { $0 }))
        }
        router.post("body") { request, _ in
            try await decodeJSON(Body.self, from: request, byteCountMax: 1000).message
        }
        let application = application(
            router: router, settings: HTTPSettings(host: "127.0.0.1", port: 0),
            logger: Logger(label: "test"))
        try await application.test(.router) { try await body($0) }
    }

    private func text(_ response: TestResponse) -> String { String(buffer: response.body) }

    private func isProblem(_ response: TestResponse, _ status: Int, _ code: String) {
        #expect(response.status.code == status)
        #expect(response.headers[.contentType] == "application/problem+json")
        #expect(text(response).contains(#""code":"\#(code)""#))
        #expect(response.headers[HTTPField.Name("X-Request-Id")!]?.isEmpty == false)
    }

    @Test("answers 404, 405 and unknown errors with problem details, telling nothing")
    func problems() async throws {
        try await test { client in
            isProblem(try await client.execute(uri: "/none", method: .get), 404, "not_found")
            let wrong = try await client.execute(uri: "/who", method: .post)
            isProblem(wrong, 405, "method_not_allowed")
            #expect(wrong.headers[.allow] == "GET")
            let failed = try await client.execute(
                uri: "/fails", method: .get, headers: [HTTPField.Name("X-Request-Id")!: "mine"])
            isProblem(failed, 500, "internal_error")
            #expect(!text(failed).contains("password"))
            #expect(text(failed).contains(#""request_id":"mine""#))
        }
    }

    @Test("lets nobody in without a good token")
    func tokens() async throws {
        try await test { client in
            isProblem(try await client.execute(uri: "/who", method: .get), 401, "unauthorized")
            let bad = try await client.execute(
                uri: "/who", method: .get, headers: [.authorization: "Bearer bad"])
            isProblem(bad, 401, "unauthorized")
            #expect(bad.headers[.wwwAuthenticate] == "Bearer")
            let good = try await client.execute(
                uri: "/who", method: .get, headers: [.authorization: "bearer good"])
            #expect(text(good) == "alice")
            let odd = try await client.execute(
                uri: "/things/nonsense", method: .get, headers: [.authorization: "Bearer good"])
            isProblem(odd, 404, "not_found")
        }
    }

    @Test("clamps pages, and refuses what is no number")
    func pages() async throws {
        try await test { client in
            func page(_ query: String) async throws -> TestResponse {
                try await client.execute(uri: "/page?\(query)", method: .get)
            }
            func used(_ query: String) async throws -> String {
                let json = try JSONSerialization.jsonObject(
                    with: Data(try await page(query).body.readableBytesView))
                let body = json as? [String: Any] ?? [:]
                let items = body["items"] as? [Int] ?? []
                let (limit, offset) = (body["limit"] as? Int, body["offset"] as? Int)
                #expect(body["total"] as? Int == 500)
                return "\(limit ?? -1) \(offset ?? -1) \(items.first ?? -1)...\(items.last ?? -1)"
            }
            #expect(try await used("") == "50 0 0...49")
            #expect(try await used("limit=0&offset=-3") == "1 0 0...0")
            #expect(try await used("limit=99999999999999999999&offset=7") == "200 7 7...206")
            let after = Cursor.encode("449")
            #expect(try await used("cursor=\(after)&offset=9") == "50 0 450...499")
            #expect(try await used("after=\(after)&limit=2") == "2 0 450...451")
            let last = text(try await page("cursor=\(after)"))
            #expect(last.contains(#""next_cursor":null"#))
            let next = text(try await page("limit=2"))
            #expect(next.contains(#""next_cursor":"\#(Cursor.encode("1"))""#))
            for query in ["limit=ten", "offset=1.5", "cursor=!", "after=\(Cursor.encode("x"))"] {
                isProblem(try await page(query), 422, "invalid_request")
            }
        }
        #expect(Cursor.decode(Cursor.encode("42:x")) == "42:x")
        #expect(Cursor.decode("!") == nil)
    }

    @Test(
        "points at what is wrong in a body",
        arguments: [
            (#"{}"#, "/message"), (#"{"message":null}"#, "/message"),
            (#"{"message":1}"#, "/message"), (#"{"message":"","ids":["x"]}"#, "/ids/0"),
            (#"{"#, ""), ("", ""), (String(repeating: "[", count: 65), ""),
        ])
    func bodies(body: String, pointer: String) async throws {
        try await test { client in
            let response = try await client.execute(
                uri: "/body", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: body))
            isProblem(response, 422, "invalid_request")
            #expect(text(response).contains(#""pointer":"\#(pointer)""#))
        }
    }

    @Test("takes JSON alone, and not too much of it")
    func kinds() async throws {
        try await test { client in
            func post(_ type: String, _ body: String) async throws -> TestResponse {
                try await client.execute(
                    uri: "/body", method: .post, headers: [.contentType: type],
                    body: ByteBuffer(string: body))
            }
            let body = #"{"message":"hi"}"#
            #expect(text(try await post("application/json; charset=utf-8", body)) == "hi")
            isProblem(try await post("text/plain", body), 415, "json_needed")
            let long = #"{"message":"\#(String(repeating: "x", count: 1000))"}"#
            isProblem(try await post("application/json", long), 413, "body_too_large")
        }
    }
}

import HTTPTypes
import HummingbirdTesting
import Postgres
import TestSupport
import Testing

@testable import Chat

@Suite("Requests")
struct RequestTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let body: String
        var path = "/chat"
        var status = 422
        var pointer = ""
        var testDescription: String { String(body.prefix(60)) }
    }

    @Test(
        "are refused with a pointer to what is wrong, and nothing is stored",
        arguments: [
            Refusal(body: "{}", pointer: "/message"),
            Refusal(body: #"{"message": 1}"#, pointer: "/message"),
            Refusal(body: #"{"message": "  "}"#, pointer: "/message"),
            Refusal(
                body: #"{"message": "\#(String(repeating: "a", count: 32_001))"}"#,
                pointer: "/message"),
            Refusal(body: #"{"message": "a", "context": []}"#, pointer: "/context"),
            Refusal(
                body:
                    #"{"message": "a", "context": {"d": "\#(String(repeating: "a", count: 262_144))"}}"#,
                pointer: "/context"),
            Refusal(body: #"{"message": "a", "sources": ["all"]}"#, pointer: "/sources/0"),
            Refusal(
                body:
                    #"{"message": "a", "attachment_ids": [\#(Array(repeating: "\"x\"", count: 21).joined(separator: ","))]}"#,
                pointer: "/attachment_ids"),
            Refusal(body: #"{"message": "a", "attachment_ids": ["x"]}"#, status: 404),
            Refusal(
                body:
                    #"{"message": "a", "attachment_ids": ["00000000-0000-4000-8000-000000000000"]}"#,
                status: 404),
            Refusal(body: #"{"message": "a", "conversation_id": "x"}"#, status: 404),
            Refusal(body: "nonsense"),
            Refusal(body: "{}", path: "/search", pointer: "/query"),
            Refusal(
                body: #"{"query": "a", "attachment_ids": ["x"]}"#, path: "/search", status: 404),
        ])
    func refused(_ refusal: Refusal) async throws {
        try await ChatWorld.run { world in
            let reply = try await world.send(.post, refusal.path, refusal.body)
            #expect(reply.status == refusal.status)
            #expect(reply.headers[.contentType] == "application/problem+json")
            #expect(try reply.json["errors"][0]["pointer"].text == refusal.pointer)
            let rows = try await world.pool.read { try $0.run("SELECT id FROM conversations") }
            #expect(rows.isEmpty)
        }
    }

    @Test("that are no JSON by their type are refused")
    func type() async throws {
        try await ChatWorld.run { world in
            let reply = try await world.send(
                .post, "/chat", headers: [.contentType: "text/plain"])
            #expect(reply.status == 415)
        }
    }

    @Test("find nothing while nothing was ever indexed")
    func nothingIndexed() async throws {
        try await ChatWorld.run { world in
            let reply = try await world.send(.post, "/search", #"{"query": "tariff"}"#)
            #expect(try reply.json == .object(["results": .array([]), "degraded": .bool(false)]))
        }
    }

    @Test("of a client that goes away are answered all the same, and kept")
    func goneClient() async throws {
        try await ChatWorld.run(live: true) { world in
            let (reached, goOn) = (Signal(), Signal())
            world.model.answer([
                .head, .piece("Some "), .pause(reached: reached, goOn: goOn), .piece("and more."),
                .finish(), .done,
            ])
            let body = #"{"message": "What is it all about?"}"#
            try await RawConnection.connect(port: world.client.port ?? 0) { connection in
                try await connection.send(
                    """
                    POST /chat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alice\r\n\
                    Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\
                    \(body)
                    """)
                _ = await connection.text(before: "Some")
                await connection.close()
            }
            try await reached.wait()
            goOn.fire()
            try await eventually {
                let rows = try await world.pool.read {
                    try $0.run(
                        "SELECT content FROM messages WHERE status = 'complete' AND role = 'assistant'"
                    )
                }
                return try rows.first?.get("content") == "Some and more."
            }
        }
    }

    @Test("with a NUL anywhere are refused; a backslash before one is text")
    func nul() async throws {
        try await ChatWorld.run { world in
            world.model.answer(.says("One."))
            let bodies = [
                #"{"message": "What\u0000?"}"#,
                #"{"message": "What?", "context": {"a": ["\\\u0000"]}}"#,
                #"{"message": "What is \\u0000?"}"#,
            ]
            var statuses: [Int] = []
            for body in bodies {
                statuses.append(try await world.send(.post, "/chat", body).status)
            }
            #expect(statuses == [422, 422, 200])
        }
    }
}

import AsyncHTTPClient
import Domain
import FoundationEssentials
import HTTPService
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Identity
import Logging
import ModelEndpoint
import NIOCore
import OutboundHTTP
import Postgres
import ServiceLifecycle
import ServiceRuntime
import TestSupport

@testable import Chat

/// A chat service in process on a database of its own, its model told by the test what to say.
struct ChatWorld: Sendable {
    let chat: Chat
    let model: ScriptedModel
    let pool: PostgresPool
    let client: any TestClientProtocol

    /// Runs the service, and another replica of it if asked for.
    static func run(
        limits: Answering.Limits = .init(), turnWait: Duration = .seconds(30),
        modelIdle: Duration = .seconds(20), live: Bool = false, makesTitles: Bool = false,
        allowance: AnswerAllowance = AnswerAllowance(),
        answers: AnswerWriter.Settings = .init(model: "scripted"),
        _ body: @escaping @Sendable (ChatWorld) async throws -> Void
    ) async throws {
        try await withDatabase { pool in
            try await ScriptedModel.run { model in
                let http = Chat.makeClient()
                do {
                    try await replica(
                        pool, model, http, limits, turnWait, modelIdle, live: live,
                        makesTitles: makesTitles, allowance: allowance, answers: answers, body)
                    try await http.shutdown()
                } catch {
                    try await http.shutdown()
                    throw error
                }
            }
        }
    }

    /// Another replica on the same stores.
    func withAnotherReplica(
        limits: Answering.Limits = .init(),
        _ body: @escaping @Sendable (ChatWorld) async throws -> Void
    ) async throws {
        let http = Chat.makeClient()
        do {
            try await Self.replica(
                pool, model, http, limits, .seconds(30), .seconds(20), live: false, body)
            try await http.shutdown()
        } catch {
            try await http.shutdown()
            throw error
        }
    }

    private static func replica(
        _ pool: PostgresPool, _ model: ScriptedModel, _ http: HTTPClient,
        _ limits: Answering.Limits, _ turnWait: Duration, _ modelIdle: Duration, live: Bool,
        makesTitles: Bool = false, allowance: AnswerAllowance = AnswerAllowance(),
        answers: AnswerWriter.Settings = .init(model: "scripted"),
        _ body: @escaping @Sendable (ChatWorld) async throws -> Void
    ) async throws {
        var reader = SettingsReader([
            "APP_ENV": "dev", "OPENAI_BASE_URL": model.url, "OPENAI_CHAT_MODEL": "scripted",
            "OPENAI_EMBED_QUERY_BASE_URL": try environment("TEST_EMBED_QUESTION_URL"),
            "OPENAI_EMBED_BASE_URL": try environment("TEST_EMBED_PASSAGE_URL"),
            "QDRANT_URL": try environment("TEST_QDRANT_URL"),
            "INTERNAL_AUTH_PUBLIC_KEYS": "none",
        ])
        var settings = ChatSettings(from: &reader)
        try reader.finish()
        settings.answers = answers
        settings.answers.turnWait = turnWait
        settings.answers.makesTitles = makesTitles
        settings.allowance = allowance
        settings.answers.attachmentWait = turnWait
        settings.answers.modelLimits = ChatLimits(headDeadline: modelIdle, idle: modelIdle)
        let chat = Chat(
            settings: settings, database: pool.configuration, client: http, limits: limits,
            logger: .test)
        let router = serviceRouter()
        let members = router.members(
            PrincipalMiddleware { sub in
                Caller(sub: sub, email: "", name: "", groups: [], isAdmin: false)
            })
        chat.addRoutes(to: members, events: EventStream())
        let app = application(
            router: router, settings: HTTPSettings(host: "127.0.0.1", port: 0), logger: .test)
        let group = ServiceGroup(
            services: chat.parts + [chat.answering], gracefulShutdownSignals: [], logger: .test)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await chat.generation.look()
            let failure: (any Error)?
            do {
                try await app.test(live ? .live : .router) { client in
                    try await body(
                        ChatWorld(chat: chat, model: model, pool: pool, client: client))
                }
                failure = nil
            } catch {
                failure = error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            if let failure { throw failure }
        }
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil,
        as user: String = "alice", headers: HTTPFields = [:]
    ) async throws -> Reply {
        var headers = headers
        headers[.authorization] = "Bearer \(user)"
        if body != nil { headers[.contentType] = "application/json" }
        let response = try await client.execute(
            uri: path, method: method, headers: headers,
            body: body.map { ByteBuffer(string: $0) })
        return Reply(
            status: response.status.code, text: String(buffer: response.body),
            headers: response.headers)
    }

    /// The whole stream of an answer.
    func ask(
        _ message: String, in conversation: String? = nil, as user: String = "alice",
        _ more: String = "", headers: HTTPFields = [:]
    ) async throws -> Reply {
        let conversation = conversation.map { #", "conversation_id": "\#($0)""# } ?? ""
        return try await send(
            .post, "/chat", #"{"message": "\#(message)"\#(conversation)\#(more)}"#, as: user,
            headers: headers)
    }
}

/// What came back.
struct Reply: Sendable {
    let status: Int
    let text: String
    let headers: HTTPFields

    /// As JSON.
    var json: JSONValue {
        get throws { try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) }
    }

    /// The events of a stream, read as the existing web front ends do.
    var events: [Event] {
        get throws {
            try text.split(separator: "\n\n").compactMap { block in
                let lines = block.split(separator: "\n")
                guard let line = lines.first(where: { $0.hasPrefix("data: {") }) else {
                    return nil
                }
                let value = try JSONDecoder().decode(
                    JSONValue.self, from: Data(line.dropFirst(6).utf8))
                return Event(
                    id: lines.first.map { String($0) } ?? "", type: value["type"].text,
                    data: value["data"])
            }
        }
    }

    /// The answer's text.
    var answer: String {
        get throws { try events.filter { $0.type == "token" }.map(\.data.text).joined() }
    }

    func data(_ type: String) throws -> JSONValue {
        try events.first { $0.type == type }?.data ?? .null
    }
}

struct Event: Sendable {
    let id: String
    let type: String
    let data: JSONValue
}

extension JSONValue {
    subscript(_ key: String) -> JSONValue {
        if case .object(let members) = self { members[key] ?? .null } else { .null }
    }

    subscript(_ index: Int) -> JSONValue {
        if case .array(let items) = self, items.indices.contains(index) {
            items[index]
        } else {
            .null
        }
    }

    var text: String { if case .string(let text) = self { text } else { "" } }
    var count: Int {
        switch self {
        case .array(let items): items.count
        case .object(let members): members.count
        default: 0
        }
    }
}

import FoundationEssentials
import Identity
import Logging
import NIOCore
import NIOHTTP1

/// From a request's head to whoever answers it.
extension ClientConnection {
    func judge(_ head: HTTPRequestHead) {
        var route: Route?
        let judgement = door.rules.judge(head, route: &route)
        record?.route = route?.pattern
        switch judgement {
        case .answer(let answer): self.answer(answer)
        case .problem(let problem): refuse(problem)
        case .ready: later(door.rules.readiness.answer)
        case .caller(let verified, let route, let target): serve(verified, route, target)
        case .unknownKey(let token, let route, let target):
            let verifier = door.rules.verifier
            later {
                await DoorRules.verdict(verifier, token)
            } then: { connection, result in
                switch result {
                case .success(let verified): connection.serve(verified, route, target)
                case .failure(let problem): connection.refuse(problem)
                }
            }
        }
    }

    /// Whoever has no valid token may not even be refused without end.
    ///
    /// Where one request cannot be told apart from the next, nothing that follows is one.
    private func refuse(_ problem: Problem) {
        guard let record else { return }
        if problem.status == .badRequest { return answerLast(problem) }
        answer(door.rules.clientLimits.request(from: record.client.address) ?? problem)
    }

    private func serve(_ verified: VerifiedCaller, _ route: Route, _ target: Target) {
        guard let record else { return }
        if let problem = door.rules.clientLimits.request(ofUser: verified.caller.sub) {
            return answer(problem)
        }
        switch route.destination {
        case .own(.user): answer(.user(verified.caller))
        case .own: answer(.ping)
        case .upstream(let upstream): forward(record, verified, target, upstream, route.kind)
        case .byBody(let multipart, let otherwise):
            let type = record.head.headers.first(name: "Content-Type")?.lowercased() ?? ""
            if type.hasPrefix("multipart/") {
                forward(record, verified, target, multipart, .upload)
            } else {
                forward(record, verified, target, otherwise, route.kind)
            }
        }
    }

    private func forward(
        _ record: RequestRecord, _ verified: VerifiedCaller, _ target: Target,
        _ upstream: Upstream, _ kind: Route.Kind
    ) {
        let body = door.limits.body(ofFile: kind == .upload)
        if body.isExceeded(by: record.head) { return answer(body.problem) }
        if kind == .stream, let problem = beginStream(ofUser: verified.caller.sub) {
            return answer(problem)
        }
        let authorization: String
        do {
            authorization = try door.internalTokens.authorization(
                for: verified, upstream: upstream, now: .now)
        } catch {
            door.rules.logger.error("internal token not signed")
            return answer(Problem.failed)
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: record.head.method, uri: target.uri,
            headers: HeaderRules.forward(record, authorization: authorization))
        let exchange = ForwardedExchange(
            client: self, head: head, upstream: upstream, pool: door.pool,
            expectsContinue: record.head.headers[canonicalForm: "Expect"].contains {
                $0.lowercased() == "100-continue"
            })
        begin(exchange, body: body)
    }

    /// Asks something that cannot be answered on the event loop, then goes on here.
    private func later<T: Sendable>(
        _ ask: @escaping @Sendable () async -> T,
        then: @escaping @Sendable (ClientConnection, T) -> Void
    ) {
        let connection = NIOLoopBound(self, eventLoop: door.eventLoop)
        door.eventLoop.makeFutureWithTask(ask).whenSuccess { value in
            if connection.value.record != nil { then(connection.value, value) }
        }
    }

    private func later(_ ask: @escaping @Sendable () async -> Answer) {
        later(ask) { connection, answer in connection.answer(answer) }
    }
}

import Identity
import NIOHTTP1

typealias VerifiedCaller = VerifiedToken

extension DoorRules {
    /// What a request's head leads to.
    enum Judgement {
        case answer(Answer)
        case problem(Problem)
        case ready
        case caller(VerifiedCaller, Route, Target)
        /// The token's key is not among those at hand; the issuer must be asked.
        case unknownKey(token: String, Route, Target)
    }

    /// - Parameter route: where the request leads, as soon as that is known, whatever becomes of it.
    func judge(_ head: HTTPRequestHead, route found: inout Route?) -> Judgement {
        if let problem = limits.problem(of: head) { return .problem(problem) }
        guard let target = Target(uri: head.uri) else { return .problem(.badRequest) }
        if isPreflight(head) { return judgePreflight(head, target) }
        let route: Route
        switch routes.match(head.method, target.path) {
        case .found(let match): route = match
        case .unknownPath: return .problem(.notFound)
        case .unknownMethod(let allowed): return .problem(.methodNotAllowed(allowed))
        }
        found = route
        guard crossSite.judge(head) == .allowed else { return .problem(.crossSite) }
        switch route.destination {
        case .own(.health): return .answer(.health)
        case .own(.document): return .answer(.document)
        case .own(.docs): return .answer(docs.page)
        case .own(.docsFile):
            let answer = docs.file(target.path.dropFirst("/docs/".count))
            return answer.map(Judgement.answer) ?? .problem(.notFound)
        case .own(.ready): return .ready
        default: return judgeToken(head, route, target)
        }
    }

    private func judgeToken(_ head: HTTPRequestHead, _ route: Route, _ target: Target) -> Judgement
    {
        guard let token = tokenSource.token(in: head.headers) else {
            return .problem(.tokenMissing)
        }
        do {
            guard let verified = try verifier.verifyKnown(token) else {
                return .unknownKey(token: token, route, target)
            }
            return .caller(verified, route, target)
        } catch {
            return .problem(Self.problem(error))
        }
    }

    private func isPreflight(_ head: HTTPRequestHead) -> Bool {
        head.method == .OPTIONS && head.headers.contains(name: "Origin")
            && head.headers.contains(name: "Access-Control-Request-Method")
    }

    private func judgePreflight(_ head: HTTPRequestHead, _ target: Target) -> Judgement {
        guard crossSite.corsOrigin(of: head.headers) != nil else { return .problem(.crossSite) }
        switch routes.match(.OPTIONS, target.path) {
        case .found, .unknownPath: return .problem(.notFound)
        case .unknownMethod(let methods): return .answer(.preflight(methods: methods))
        }
    }

    static func verdict(
        _ verifier: TokenVerifier, _ token: String
    ) async -> Result<VerifiedCaller, Problem> {
        do {
            return .success(try await verifier.verify(token))
        } catch {
            return .failure(problem(error))
        }
    }

    private static func problem(_ error: TokenError) -> Problem {
        switch error {
        case .refused(let refusal): .tokenInvalid(refusal.rawValue)
        case .unavailable: .keysUnavailable
        }
    }
}

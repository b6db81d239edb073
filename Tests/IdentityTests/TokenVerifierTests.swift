import AsyncHTTPClient
import Domain
import Foundation
import Identity
import Logging
import OutboundHTTP
import Synchronization
import TestSupport
import Testing

/// An issuer on a socket: its documents can be changed, and it counts how often it was asked.
final class IssuerServer: Sendable {
    struct State {
        var keys: [TestIssuer.Key] = [.first]
        var isDown = false
        var discoveredIssuer: String?
        var keyRequestCount = 0
    }

    let state = Mutex(State())

    func handle(_ connection: RawConnection) async throws {
        while let request = await connection.message() {
            let path = request.startLine.split(separator: " ")[1]
            let base = "http://" + (request.value("host") ?? "")
            let now = state.withLock { state in
                if path == "/jwks" { state.keyRequestCount += 1 }
                return state
            }
            let body =
                now.isDown
                ? "rubbish"
                : path == "/jwks"
                    ? try TestIssuer().jwks(now.keys)
                    : #"{"issuer": "\#(now.discoveredIssuer ?? base)", "jwks_uri": "\#(base)/jwks"}"#
            try await connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
    }
}

/// What one test needs of the verifier and its issuer.
struct Verification: Sendable {
    let issuer: TestIssuer
    let server: IssuerServer
    let keys: IssuerKeys
    let verifier: TokenVerifier

    static func run(
        algorithms: [String] = ["RS256"], schedule: IssuerKeys.Schedule = .init(),
        now: @escaping @Sendable () -> Date = { Date() },
        _ body: (Verification) async throws -> Void
    ) async throws {
        let server = IssuerServer()
        let client = OutboundHTTP.makeClient()
        try await RawServer.run(server.handle) { socket in
            let address = "http://127.0.0.1:\(socket.port)"
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let keys = IssuerKeys(
                source: KeySource(
                    issuer: address, jwksURL: nil,
                    http: OutboundHTTP(client: client, peer: "issuer", logger: logger)),
                algorithms: algorithms, schedule: schedule, logger: logger)
            let rules = TokenRules(
                issuer: address, audiences: ["oauth2_proxy"], algorithms: algorithms,
                adminGroup: "/admins", adminRole: "assistant-admin")
            try await body(
                Verification(
                    issuer: TestIssuer(address: address), server: server, keys: keys,
                    verifier: TokenVerifier(rules: rules, keys: keys, now: now)))
        }
        try await client.shutdown()
    }

    func refusal(_ token: String) async -> TokenError? {
        do {
            _ = try await verifier.verify(token)
            return nil
        } catch {
            return error
        }
    }
}

@Suite("Token verifier")
struct TokenVerifierTests {
    @Test("finds the keys by discovery and reads the caller's claims")
    func accepts() async throws {
        try await Verification.run { verification in
            let token = try await verification.issuer.token(claims: [
                "groups": ["/admins", "/members"], "preferred_username": "al",
                "given_name": "A", "family_name": "L",
                "organization": ["x": ["groups": ["/admins2"]]],
            ])
            let caller = try await verification.verifier.verify(token).caller
            #expect(caller.sub == "alice")
            #expect(caller.email == "alice@example.org")
            #expect(caller.groups == ["admins", "members"])
            #expect(caller.isAdmin)
            #expect(caller.preferredUsername == "al")
            #expect(caller.principal.isAdmin)
        }
    }

    @Test("reads groups from a list or a string with commas, and from nowhere else")
    func groups() async throws {
        try await Verification.run { verification in
            let cases: [([String: Any?], [String], Bool)] = [
                (["groups": "a, /admins"], ["a", "admins"], true),
                (["groups": 7], [], false),
                (["groups": NSNull()], [], false),
                (["organization": ["groups": ["admins"]]], [], false),
                (["groups": ["//admins"]], ["/admins"], false),
                (["groups": ["Admins"]], ["Admins"], false),
                (["groups": ["x,admins"]], ["x,admins"], false),
                (["groups": ["a", 7, "admins"]], [], false),
                (["groups": "team/admins"], ["team/admins"], false),
            ]
            for (claims, groups, isAdmin) in cases {
                let token = try await verification.issuer.token(claims: claims)
                let caller = try await verification.verifier.verify(token).caller
                #expect(caller.groups == groups)
                #expect(caller.isAdmin == isAdmin)
            }
        }
    }

    @Test("takes the role of the realm for an operator's, and no other role")
    func roles() async throws {
        let role = "assistant-admin"
        let cases: [([String: Any?], Bool)] = [
            (["realm_access": ["roles": ["other", role]]], true),
            (["realm_access": ["roles": ["assistant-admin "]]], false),
            (["realm_access": ["roles": role]], false),
            (["realm_access": ["roles": [role, 7]]], false),
            (["realm_access": [role]], false),
            (["resource_access": ["account": ["roles": [role]]]], false),
            (["roles": [role]], false), (["groups": [role]], false),
            (["organization": ["realm_access": ["roles": [role]]]], false),
        ]
        try await Verification.run { verification in
            for (claims, isAdmin) in cases {
                let token = try await verification.issuer.token(claims: claims)
                let caller = try await verification.verifier.verify(token).caller
                #expect(caller.isAdmin == isAdmin, "\(claims)")
            }
        }
    }

    @Test("refuses each token that breaks one rule, naming the rule")
    func refusesClaims() async throws {
        let now = Int(Date().timeIntervalSince1970)
        let cases: [([String: Any?], TokenError.Refusal)] = [
            (["exp": now - 31], .expired), (["exp": nil], .malformed),
            (["exp": "\(now + 60)"], .malformed), (["exp": -1], .malformed),
            (["exp": 1e300], .malformed),
            (["nbf": now + 60], .notYetValid), (["iat": now + 60], .notYetValid),
            (["aud": nil], .audience), (["aud": "other"], .audience),
            (["aud": ["a", "b"]], .audience), (["aud": [String]()], .audience),
            (["aud": 3], .malformed),
            (["iss": nil], .issuer), (["iss": "https://evil.test"], .issuer),
            (["iss": 3], .malformed),
            (["sub": nil], .subject), (["sub": ""], .subject), (["sub": "a\u{0}b"], .subject),
            (["sub": String(repeating: "x", count: 256)], .subject), (["sub": 5], .malformed),
            (["typ": "ID"], .idToken), (["token_use": "id"], .idToken),
            (["at_hash": "x"], .idToken), (["c_hash": "x"], .idToken),
        ]
        try await Verification.run { verification in
            for (claims, refusal) in cases {
                let token = try await verification.issuer.token(claims: claims)
                #expect(await verification.refusal(token) == .refused(refusal), "\(claims)")
            }
            let lenient = try await verification.issuer.token(claims: [
                "nbf": now + 20, "exp": now - 20, "aud": ["x", "oauth2_proxy"], "typ": "Bearer",
            ])
            #expect(await verification.refusal(lenient) == nil)
        }
    }

    @Test("refuses headers that choose their own rules")
    func refusesHeaders() async throws {
        try await Verification.run { verification in
            let cases: [([String: Any], TokenError.Refusal)] = [
                (["alg": "none"], .algorithm), (["alg": "None"], .algorithm),
                (["alg": "HS256"], .algorithm), (["alg": "RS384"], .algorithm),
                (["alg": 1], .malformed), (["crit": ["exp"]], .critical),
                (["typ": "dpop+jwt"], .type), (["kid": "../../etc"], .unknownKey),
                (["kid": "second"], .unknownKey),
            ]
            for (header, refusal) in cases {
                let token = try await verification.issuer.token(header: header)
                #expect(await verification.refusal(token) == .refused(refusal), "\(header)")
            }
            for type in ["at+jwt", "application/at+jwt", "jwt"] {
                let token = try await verification.issuer.token(header: ["typ": type])
                #expect(await verification.refusal(token) == nil)
            }
        }
    }

    @Test("refuses a signature of another key and every changed or misspelt part")
    func refusesForgeries() async throws {
        try await Verification.run { verification in
            let good = try await verification.issuer.token()
            let parts = good.split(separator: ".").map(String.init)
            let other = try await verification.issuer.token(
                header: ["kid": "first"], key: .second)
            #expect(await verification.refusal(other) == .refused(.signature))
            let admin = TestIssuer.encode(Data(#"{"sub":"root"}"#.utf8))
            #expect(
                await verification.refusal("\(parts[0]).\(admin).\(parts[2])")
                    == .refused(.signature))
            let malformed = [
                "", ".", "..", "a.b.c", parts[0] + "." + parts[1], good + ".", good + "=",
                good + ".x", "\(parts[0]).\(parts[1]).", " " + good,
            ]
            for token in malformed {
                #expect(await verification.refusal(token) == .refused(.malformed), "\(token)")
            }
            let large = try await verification.issuer.token(claims: [
                "padding": String(repeating: "x", count: 13_000)
            ])
            #expect(await verification.refusal(large) == .refused(.tooLarge))
        }
    }

    @Test("refuses a member that is there twice, wherever and however it is spelt")
    func refusesRepeatedMembers() async throws {
        let header = #""alg": "RS256", "kid": "first", "typ": "JWT""#
        let expiry = Int(Date().timeIntervalSince1970) + 600
        try await Verification.run { verification in
            let payload =
                #""iss": "\#(verification.issuer.address)", "aud": "oauth2_proxy", "sub": "alice", "#
                + #""exp": \#(expiry)"#
            let cases: [(header: String, payload: String, isRefused: Bool)] = [
                ("", "", false),
                (
                    "", #", "a": {"sub": 1}, "b": [{"sub": 1}, {"sub": 1}], "c": ["sub", "sub"]"#,
                    false
                ),
                ("", #", "a": "sub", "b": "\"sub\": 1, \"sub\": 2", "sub\\": 1"#, false),
                ("", #", "sub": "root""#, true), ("", #", "\u0073ub": "root""#, true),
                ("", #", "exp": 9999999999"#, true), ("", #", "a": {"b": 1, "b": 1}"#, true),
                ("", #", "realm_access": {"roles": [], "r\u006fles": ["assistant-admin"]}"#, true),
                ("", #", "a": [1, {"b": [], "c": {}, "b": []}]"#, true),
                (#", "alg": "none""#, "", true), (#", "kid": "second""#, "", true),
                (#", "x": "\"", "x": 1"#, "", true),
                ("", #", "https:\/\/a.test\/x": 1, "https:\/\/a.test\/y": 1"#, false),
                ((0..<40).map { #", "\u0061\#($0)": 1"# }.joined(), "", true),
            ]
            for (more, claims, isRefused) in cases {
                let token = try await verification.issuer.sign(
                    header: Data("{\(header)\(more)}".utf8),
                    payload: Data("{\(payload)\(claims)}".utf8))
                let expected: TokenError? = isRefused ? .refused(.malformed) : nil
                #expect(await verification.refusal(token) == expected, "\(more) \(claims)")
            }
        }
    }

    @Test("forgets a verified token when it expires")
    func expires() async throws {
        let offset = Mutex(0.0)
        let clock: @Sendable () -> Date = { Date() + offset.withLock { $0 } }
        try await Verification.run(now: clock) { verification in
            let token = try await verification.issuer.token()
            #expect(await verification.refusal(token) == nil)
            offset.withLock { $0 = 631 }
            #expect(await verification.refusal(token) == .refused(.expired))
        }
    }

    @Test("takes a new key at once, and stops believing a withdrawn one")
    func rotates() async throws {
        var schedule = IssuerKeys.Schedule()
        schedule.unknownKeyInterval = .zero
        try await Verification.run(schedule: schedule) { verification in
            let old = try await verification.issuer.token()
            #expect(await verification.refusal(old) == nil)
            verification.server.state.withLock { $0.keys = [.second] }
            let new = try await verification.issuer.token(key: .second)
            #expect(await verification.refusal(new) == nil)
            #expect(await verification.refusal(old) == .refused(.unknownKey))
        }
    }

    @Test("looks for keys on a schedule: a withdrawn one goes, an outage ends, with nobody asking")
    func schedule() async throws {
        var schedule = IssuerKeys.Schedule()
        schedule.refreshInterval = .milliseconds(10)
        schedule.retryInterval = .milliseconds(10)
        schedule.unknownKeyInterval = .seconds(3600)
        try await Verification.run(schedule: schedule) { verification in
            let looking = Task { try await verification.keys.run() }
            let old = try await verification.issuer.token()
            try await eventually { await verification.refusal(old) == nil }
            verification.server.state.withLock { $0.isDown = true }
            let asked = verification.server.state.withLock { $0.keyRequestCount }
            #expect(await verification.refusal(old) == nil)
            verification.server.state.withLock { state in
                state.isDown = false
                state.keys = [.second]
            }
            try await eventually { await verification.refusal(old) == .refused(.unknownKey) }
            let new = try await verification.issuer.token(key: .second)
            #expect(await verification.refusal(new) == nil)
            #expect(verification.server.state.withLock { $0.keyRequestCount } > asked)
            looking.cancel()
            try await looking.value
        }
    }

    @Test("keeps the last good keys while the issuer answers rubbish")
    func outage() async throws {
        try await Verification.run { verification in
            #expect(await verification.keys.refresh())
            verification.server.state.withLock { $0.isDown = true }
            #expect(await verification.keys.refresh() == false)
            let token = try await verification.issuer.token()
            #expect(await verification.refusal(token) == nil)
        }
    }

    @Test("says that it cannot tell when the issuer never answered, or speaks for another")
    func unavailable() async throws {
        try await Verification.run { verification in
            verification.server.state.withLock { $0.discoveredIssuer = "https://evil.test" }
            let token = try await verification.issuer.token()
            #expect(await verification.refusal(token) == .unavailable)
            #expect(!verification.verifier.isReady)
        }
    }

    @Test("asks the issuer once for a stampede of unknown keys")
    func stampede() async throws {
        try await Verification.run { verification in
            #expect(await verification.keys.refresh())
            let before = verification.server.state.withLock { $0.keyRequestCount }
            let forged = try await verification.issuer.token(header: ["kid": "x"])
            await withTaskGroup(of: TokenError?.self) { group in
                for _ in 0..<50 { group.addTask { await verification.refusal(forged) } }
                for await refusal in group { #expect(refusal == .refused(.unknownKey)) }
            }
            let after = verification.server.state.withLock { $0.keyRequestCount }
            #expect(after - before <= 1)
        }
    }
}

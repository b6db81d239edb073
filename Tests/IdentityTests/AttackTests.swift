import AsyncHTTPClient
import Foundation
import Identity
import Logging
import OutboundHTTP
import TestSupport
import Testing

/// Tokens that another library made: `stack/attack_tokens.py` says which, and after what.
@Suite("Attacks on tokens")
struct AttackTests {
    private struct Tokens: Decodable {
        struct Case: Decodable {
            let name: String
            let token: String
        }

        let issuer: String
        let audience: String
        let jwks: String
        let good: [Case]
        let attacks: [Case]
    }

    @Test("none of the published ones works, and what is good is still taken")
    func attacks() async throws {
        let file = URL(filePath: try environment("TEST_TOKENS_FILE"))
        let tokens = try JSONDecoder().decode(Tokens.self, from: Data(contentsOf: file))
        #expect(tokens.attacks.count > 300)
        let client = OutboundHTTP.makeClient()
        try await RawServer.run { connection in
            while await connection.message() != nil {
                let length = tokens.jwks.utf8.count
                try await connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\n\(tokens.jwks)")
            }
        } _: { server in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let keys = IssuerKeys(
                source: KeySource(
                    issuer: tokens.issuer, jwksURL: "http://127.0.0.1:\(server.port)/jwks",
                    http: OutboundHTTP(client: client, peer: "issuer", logger: logger)),
                algorithms: TokenRules.knownAlgorithms, logger: logger)
            await keys.refresh()
            let verifier = TokenVerifier(
                rules: TokenRules(
                    issuer: tokens.issuer, audiences: [tokens.audience],
                    algorithms: TokenRules.knownAlgorithms, adminGroup: "admins"),
                keys: keys)
            for good in tokens.good {
                #expect(await subject(good.token, verifier) == "alice", "\(good.name)")
            }
            for attack in tokens.attacks {
                #expect(await subject(attack.token, verifier) == nil, "\(attack.name)")
            }
        }
        try await client.shutdown()
    }

    /// Nil for a token that is refused.
    private func subject(_ token: String, _ verifier: TokenVerifier) async -> String? {
        do {
            return try await verifier.verify(token).caller.sub
        } catch {
            // That it is refused is what is asked.
            return nil
        }
    }
}

import Foundation
import Identity
import Synchronization
import Testing

@Suite("Internal tokens")
struct InternalTokenTests {
    private let caller = Caller(
        sub: "alice", email: "a@example.org", name: "Àlice", groups: ["admins"], isAdmin: true)

    private func refusal(_ verifier: InternalTokenVerifier, _ token: String) async -> TokenError? {
        do {
            _ = try await verifier.verify(token)
            return nil
        } catch {
            return error
        }
    }

    @Test("carry the caller to the service they are meant for, and to no other")
    func carries() async throws {
        let keys = InternalKeys.generate()
        let issuer = try InternalTokenIssuer(privateKey: keys.privateKey)
        let token = try issuer.token(for: caller, audience: "chat")
        let chat = try InternalTokenVerifier(publicKeys: [keys.publicKey], audience: "chat")
        let admin = try InternalTokenVerifier(publicKeys: [keys.publicKey], audience: "admin")
        for _ in 1...2 {
            let read = try await chat.verify(token)
            #expect(read == caller)
        }
        #expect(await refusal(admin, token) == .refused(.audience))
    }

    @Test("of a key that the service does not know are refused, of any of its keys accepted")
    func rotates() async throws {
        let (old, new) = (InternalKeys.generate(), InternalKeys.generate())
        let token = try InternalTokenIssuer(privateKey: old.privateKey)
            .token(for: caller, audience: "chat")
        let both = try InternalTokenVerifier(
            publicKeys: [new.publicKey, old.publicKey], audience: "chat")
        let one = try InternalTokenVerifier(publicKeys: [new.publicKey], audience: "chat")
        let read = try await both.verify(token)
        #expect(read == caller)
        #expect(await refusal(one, token) == .refused(.unknownKey))
    }

    @Test("expire, also when they were verified before")
    func expires() async throws {
        let offset = Mutex(0.0)
        let keys = InternalKeys.generate()
        let token = try InternalTokenIssuer(privateKey: keys.privateKey)
            .token(for: caller, audience: "chat")
        let verifier = try InternalTokenVerifier(
            publicKeys: [keys.publicKey], audience: "chat",
            now: { Date() + offset.withLock { $0 } })
        let read = try await verifier.verify(token)
        #expect(read == caller)
        offset.withLock { $0 = 331 }
        #expect(await refusal(verifier, token) == .refused(.expired))
        #expect(await refusal(verifier, token) == .refused(.expired))
    }

    @Test("that were changed anywhere are refused")
    func forgeries() async throws {
        let keys = InternalKeys.generate()
        let verifier = try InternalTokenVerifier(publicKeys: [keys.publicKey], audience: "chat")
        let token = try InternalTokenIssuer(privateKey: keys.privateKey)
            .token(for: caller, audience: "chat")
        for index in stride(from: 0, to: token.count, by: 7) {
            var letters = Array(token)
            letters[index] = letters[index] == "A" ? "B" : "A"
            #expect(await refusal(verifier, String(letters)) != nil, "letter \(index)")
        }
        #expect(await refusal(verifier, "") != nil)
        #expect(await refusal(verifier, String(repeating: "x", count: 40_000)) != nil)
    }

    @Test("need a key of the right size")
    func keys() {
        #expect(throws: InternalKeys.Problem.self) { try InternalTokenIssuer(privateKey: "eA==") }
        #expect(throws: InternalKeys.Problem.self) {
            try InternalTokenVerifier(publicKeys: [], audience: "chat")
        }
        #expect(throws: InternalKeys.Problem.self) {
            try InternalTokenVerifier(publicKeys: ["?"], audience: "chat")
        }
    }
}

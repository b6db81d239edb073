internal import FoundationEssentials
internal import JWTKit

/// The issuer's public keys, each ready for the pinned algorithms its kind can serve.
struct KeySet: Sendable {
    private struct Key: Sendable {
        let name: String?
        let algorithms: [String: any JWTAlgorithm]
    }

    /// More than any issuer publishes; a flood of keys would make unnamed ones expensive to try.
    private static let keyCountMax = 64
    private static let rsaBitCountMin = 2048

    private let keys: [Key]

    /// Keys of other kinds, for encryption, or too weak are left out; a set without any is refused.
    init(json: [UInt8], algorithms: [String]) async throws {
        let document = try JSONDecoder().decode(Document.self, from: Data(json))
        var keys: [Key] = []
        for case let jwk? in document.keys.prefix(Self.keyCountMax).map(\.usable) {
            let usable = await Self.algorithms(of: jwk, among: algorithms)
            if !usable.isEmpty {
                keys.append(Key(name: jwk.keyIdentifier?.string, algorithms: usable))
            }
        }
        guard !keys.isEmpty else { throw Problem.noUsableKey }
        self.keys = keys
    }

    enum Problem: Error { case noUsableKey }

    /// Nil when no key answers to the name; a token without one may be any key's.
    func isSigned(_ token: CompactToken, by name: String?, algorithm: String) -> Bool? {
        let candidates = keys.filter { name == nil || $0.name == name }
        guard !candidates.isEmpty else { return nil }
        for key in candidates {
            guard let verifier = key.algorithms[algorithm] else { continue }
            // A signature that cannot even be read is one that does not verify.
            let isValid = try? verifier.verify(token.signature, signs: token.signed)
            if isValid == true { return true }
        }
        return false
    }

    private static func algorithms(
        of jwk: JWK, among pinned: [String]
    ) async -> [String: any JWTAlgorithm] {
        var usable: [String: any JWTAlgorithm] = [:]
        for name in pinned {
            guard let algorithm = JWK.Algorithm(rawValue: name) else { continue }
            if let own = jwk.algorithm, own != algorithm { continue }
            var named = jwk
            named.keyIdentifier = "key"
            named.algorithm = algorithm
            let collection = JWTKeyCollection()
            // A key that does not fit the algorithm is one that this algorithm does not have.
            guard (try? await collection.add(jwk: named)) != nil,
                let ready = try? await collection.getKey(for: "key", alg: name), ready.name == name
            else { continue }
            usable[name] = ready
        }
        return usable
    }

    private struct Document: Decodable { let keys: [Entry] }

    /// One member of `keys`; what cannot be read is skipped, as RFC 7517 asks.
    private struct Entry: Decodable {
        let usable: JWK?

        private enum Keys: String, CodingKey {
            case use
            case modulus = "n"
        }

        init(from decoder: any Decoder) throws {
            // An entry we cannot read, or a `use` of another shape, is a key we do not use.
            guard let jwk = try? JWK(from: decoder),
                let fields = try? decoder.container(keyedBy: Keys.self)
            else {
                usable = nil
                return
            }
            let use = try? fields.decodeIfPresent(String.self, forKey: .use)
            let modulus = try? fields.decodeIfPresent(String.self, forKey: .modulus)
            let isStrong =
                jwk.keyType != .rsa
                || (modulus.map { $0.utf8.count * 6 } ?? 0) >= KeySet.rsaBitCountMin
            usable = (use == nil || use == "sig") && isStrong ? jwk : nil
        }
    }
}

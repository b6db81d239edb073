internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1
package import OutboundHTTP

/// Where the issuer publishes its keys: a configured address, or found by OIDC discovery.
package struct KeySource: Sendable {
    /// Some sixty keys with certificate chains fit; an endless answer does not.
    private static let byteCountMax = 512 * 1024
    private static let deadline: Duration = .seconds(5)

    private let issuer: String
    private let jwksURL: String?
    private let http: OutboundHTTP

    /// Without `jwksURL` the address comes from the issuer's discovery document.
    package init(issuer: String, jwksURL: String?, http: OutboundHTTP) {
        self.issuer = issuer
        self.jwksURL = jwksURL
        self.http = http
    }

    enum Problem: Error {
        case status(Int)
        /// The document found under the issuer's address speaks for somebody else.
        case issuerMismatch
    }

    func fetch() async throws -> [UInt8] {
        if let jwksURL { return try await get(jwksURL) }
        let base = Self.withoutSlash(issuer)
        let document = try JSONDecoder().decode(
            Discovery.self, from: Data(try await get(base + "/.well-known/openid-configuration")))
        guard Self.withoutSlash(document.issuer) == base else { throw Problem.issuerMismatch }
        return try await get(document.jwksURI)
    }

    private struct Discovery: Decodable {
        let issuer: String
        let jwksURI: String

        enum CodingKeys: String, CodingKey {
            case issuer
            case jwksURI = "jwks_uri"
        }
    }

    private func get(_ url: String) async throws -> [UInt8] {
        let answer = try await http.send(
            OutboundHTTP.Request(
                method: .GET, url: url, headers: [("Accept", "application/json")], body: nil,
                deadline: Self.deadline, responseByteCountMax: Self.byteCountMax,
                attemptCountMax: 2))
        guard answer.status == 200 else { throw Problem.status(answer.status) }
        return Array(answer.body.readableBytesView)
    }

    private static func withoutSlash(_ url: String) -> String {
        url.hasSuffix("/") ? String(url.dropLast()) : url
    }
}

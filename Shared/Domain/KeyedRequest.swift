internal import Crypto

/// What a client sends as `Idempotency-Key`, so that it may send a request again.
package struct IdempotencyKey: Sendable, Hashable {
    package static let byteCountMax = 200

    package let text: String

    /// Nil when it is empty or too long.
    package init?(_ text: String) {
        guard (1...Self.byteCountMax).contains(text.utf8.count) else { return nil }
        self.text = text
    }
}

/// A request that may come again: where it went, its key, and what it said.
package struct KeyedRequest: Sendable, Hashable {
    package let route: String
    package let key: IdempotencyKey
    package let bodyHash: [UInt8]

    /// - Parameter body: what was understood, so that what makes no difference makes none here.
    package init(_ key: IdempotencyKey, route: String, body: some Sequence<UInt8>) {
        self.route = route
        self.key = key
        bodyHash = Array(SHA256.hash(data: Array(body)))
    }
}

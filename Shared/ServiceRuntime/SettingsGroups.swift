/// What several services read alike.
package struct RuntimeSettings: Sendable {
    package let appEnvironment: AppEnvironment
    package let logLevel: LogLevel
    /// Authorities that outbound TLS trusts instead of the system's.
    package let certificateFile: String?

    package init(from reader: inout SettingsReader) {
        appEnvironment = reader.appEnvironment
        logLevel = reader.choice("LOG_LEVEL", default: .info)
        certificateFile = reader.optionalText("SSL_CERT_FILE")
    }
}

package struct HTTPSettings: Sendable {
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package init(from reader: inout SettingsReader, defaultPort: Int) {
        host = reader.text("HTTP_HOST", default: "127.0.0.1")
        port = reader.count("HTTP_PORT", default: defaultPort, in: 0...65_535)
    }
}

package struct DatabaseSettings: Sendable {
    package let url: String

    package init(from reader: inout SettingsReader) {
        url = reader.text(
            "DATABASE_URL", dev: "postgresql://postgres@127.0.0.1:5432/celine_assistant")
    }
}

package struct QdrantSettings: Sendable {
    package let url: String
    package let apiKey: String?
    /// What the names of our collections begin with.
    package let collectionBase: String

    package init(from reader: inout SettingsReader) {
        url = reader.url("QDRANT_URL", dev: "http://127.0.0.1:6333")
        apiKey = reader.optionalSecret("QDRANT_API_KEY")
        collectionBase = reader.text("QDRANT_COLLECTION", default: "celine_docs")
    }
}

/// The keys the gateway's word is checked with.
package struct InternalAuthSettings: Sendable {
    package let publicKeys: [String]

    package init(from reader: inout SettingsReader) {
        publicKeys = reader.list("INTERNAL_AUTH_PUBLIC_KEYS")
        if publicKeys.isEmpty { reader.problem("INTERNAL_AUTH_PUBLIC_KEYS is missing") }
    }
}

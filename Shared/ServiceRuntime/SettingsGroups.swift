package import Logging
package import ServiceLifecycle

/// What several services read alike.
package struct RuntimeSettings: Sendable {
    package let appEnvironment: AppEnvironment
    package let logLevel: LogLevel
    /// Authorities that outbound TLS trusts instead of the system's.
    package let certificateFile: String?
    private let metricsHost: String
    /// Nil where nobody asks for numbers.
    private let metricsPort: Int?

    package init(from reader: inout SettingsReader) {
        appEnvironment = reader.appEnvironment
        logLevel = reader.choice("LOG_LEVEL", default: .info)
        certificateFile = reader.optionalText("SSL_CERT_FILE")
        metricsHost = reader.text("HTTP_HOST", default: "127.0.0.1")
        metricsPort = reader.optionalCount("METRICS_PORT", in: 1...65_535)
    }

    /// None or one.
    package func metricsServers(
        _ sources: [MetricSource] = [], logger: Logger
    ) -> [any Service] {
        guard let metricsPort else { return [] }
        return [
            MetricsServer(host: metricsHost, port: metricsPort, sources: sources, logger: logger)
        ]
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

/// How the rankings of a search are fused, where it is not as the index was tuned.
package struct FusionSettings: Sendable {
    /// The constant of reciprocal rank fusion.
    package let k: Int?
    /// Of four rankings: meaning, words in the question's language, and both in other languages.
    package let weights: [Double]?

    package init(from reader: inout SettingsReader) {
        k = reader.optionalCount("RRF_K", in: 1...1000)
        let texts = reader.list("RRF_WEIGHTS")
        weights = texts.isEmpty ? nil : Self.weights(texts)
        if !texts.isEmpty, weights == nil {
            reader.problem(
                "RRF_WEIGHTS must be four numbers from 0 to 10, the first two above 0")
        }
    }

    private static func weights(_ texts: [String]) -> [Double]? {
        let weights = texts.compactMap(Double.init).filter { (0...10).contains($0) }
        let isWhole = texts.count == 4 && weights.count == 4 && !weights.prefix(2).contains(0)
        return isWhole ? weights : nil
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

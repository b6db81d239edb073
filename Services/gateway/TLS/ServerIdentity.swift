import FoundationEssentials
import Logging
import NIOSSL
import ServiceLifecycle
import Synchronization

/// Who the gateway is to its clients: a chain of certificates and its key, read again when the files
/// change. Connections that are open go on with what they began with.
final class ServerIdentity: Service {
    private static let interval: Duration = .seconds(30)

    private let files: TLSFiles
    private let logger: Logger
    private let loaded: Mutex<(context: NIOSSLContext, version: [Date])>

    init(_ files: TLSFiles, logger: Logger) throws {
        self.files = files
        self.logger = logger
        loaded = Mutex((try files.makeContext(), files.version))
    }

    var context: NIOSSLContext { loaded.withLock { $0.context } }

    func run() async {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                // Only cancellation ends the sleep early, and the loop asks for that.
                try? await Task.sleep(for: Self.interval)
                reloadIfChanged()
            }
        }
    }

    /// Files that are no chain and key, as between the writing of one and the other, leave what was.
    func reloadIfChanged() {
        let version = files.version
        guard version != loaded.withLock({ $0.version }) else { return }
        do {
            let context = try files.makeContext()
            loaded.withLock { $0 = (context, version) }
            logger.info("TLS certificate loaded")
        } catch {
            logger.warning("TLS certificate not loaded", metadata: ["error": "\(error)"])
        }
    }
}

/// `TLS_CERTIFICATE_FILE` and `TLS_KEY_FILE`, both PEM.
struct TLSFiles: Sendable {
    let certificate: String
    let key: String

    /// TLS 1.2 and later (RFC 9325), HTTP/2 before HTTP/1.1.
    func makeContext() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate)
                .map(NIOSSLCertificateSource.certificate),
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    /// When each was last written; those that are not there have no time.
    var version: [Date] {
        [certificate, key].map { path in
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            return attributes?[.modificationDate] as? Date ?? .distantPast
        }
    }
}

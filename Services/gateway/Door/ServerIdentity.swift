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
    private let loaded: Mutex<(context: NIOSSLContext, of: TLSFiles.Contents)>

    init(_ files: TLSFiles, logger: Logger) throws {
        self.files = files
        self.logger = logger
        let contents = try files.read()
        loaded = Mutex((try contents.makeContext(), contents))
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
        do {
            let contents = try files.read()
            guard contents != loaded.withLock({ $0.of }) else { return }
            let context = try contents.makeContext()
            loaded.withLock { $0 = (context, contents) }
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

    /// What is in them now. Compared as it is: where orchestrators mount them, they are links whose own
    /// times never change.
    func read() throws -> Contents {
        Contents(
            certificate: try Data(contentsOf: URL(filePath: certificate)),
            key: try Data(contentsOf: URL(filePath: key)))
    }

    struct Contents: Sendable, Equatable {
        let certificate: Data
        let key: Data

        /// TLS 1.2 and later (RFC 9325), HTTP/2 before HTTP/1.1.
        func makeContext() throws -> NIOSSLContext {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate))
                    .map(NIOSSLCertificateSource.certificate),
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key), format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["h2", "http/1.1"]
            return try NIOSSLContext(configuration: configuration)
        }
    }
}

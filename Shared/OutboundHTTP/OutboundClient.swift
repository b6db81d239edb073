package import AsyncHTTPClient
import NIOCore
import NIOSSL

extension OutboundHTTP {
    /// The connections all of a process's outbound calls share. Whoever makes it shuts it down.
    ///
    /// `certificateFile` is `SSL_CERT_FILE`: authorities trusted instead of the system's.
    package static func makeClient(
        certificateFile: String? = nil, connectTimeout: Duration = .seconds(5),
        connectionCountMax: Int = 32
    ) -> HTTPClient {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = TimeAmount(connectTimeout)
        // Otherwise a dead peer holds every request until its deadline.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connectionCountMax
        // Below the keep-alive of common servers, so that a connection is rarely found closed.
        configuration.connectionPool.idleTimeout = .seconds(20)
        configuration.httpVersion = .http1Only
        if let certificateFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(certificateFile)
            configuration.tlsConfiguration = tls
        }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }
}

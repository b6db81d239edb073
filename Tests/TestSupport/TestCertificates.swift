/// A certificate authority of a test's own, and server certificates that it signs.
package struct TestCertificates: Sendable {
    /// What a client trusts.
    package let authority: String
    private let key: String
    private let folder: String
    private let run: @Sendable (_ executable: String, _ arguments: [String]) throws -> Void

    /// - Parameter run: runs openssl, as whoever is to read the keys.
    package init(
        in folder: String, named name: String,
        run: @escaping @Sendable (String, [String]) throws -> Void
    ) throws {
        self.folder = folder
        self.run = run
        authority = "\(folder)/\(name).pem"
        key = "\(folder)/\(name).key"
        try Self.make(["-subj", "/CN=\(name)", "-keyout", key, "-out", authority], run)
    }

    package struct Server: Sendable {
        package let certificate: String
        package let key: String
    }

    package func server(hostName: String) throws -> Server {
        let server = Server(
            certificate: "\(folder)/\(hostName).pem", key: "\(folder)/\(hostName).key")
        try Self.make(
            [
                "-subj", "/CN=\(hostName)", "-addext", "subjectAltName=DNS:\(hostName)",
                "-CA", authority, "-CAkey", key, "-keyout", server.key,
                "-out", server.certificate,
            ], run)
        return server
    }

    private static func make(
        _ arguments: [String], _ run: @Sendable (String, [String]) throws -> Void
    ) throws {
        let always = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2",
        ]
        try run("/usr/bin/openssl", always + arguments)
    }
}

import Foundation
import ServiceRuntime
import TestSupport
import Testing

@testable import Gateway

@Suite("API document and settings")
struct DocumentTests {
    @Test("the document and the route table name the same routes")
    func agreement() throws {
        let document = try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json))
        let root = try #require(document as? [String: Any])
        let paths = try #require(root["paths"] as? [String: [String: Any]])
        let methods: Set<String> = ["get", "post", "put", "patch", "delete"]
        let documented = Set(
            paths.flatMap { path, item in
                item.keys.filter(methods.contains).map { "\($0.uppercased()) \(path)" }
            })
        let served = Set(Routes.all.map { "\($0.method) \($0.pattern)" })
        #expect(documented.subtracting(served).sorted() == [])
        #expect(served.subtracting(documented).sorted() == [])
    }

    @Test("health and the document need no token, readiness tells nothing but itself")
    func open() async throws {
        try await GatewayFixture.run { gateway in
            let health = try await gateway.ask("GET", "/health", withToken: false)
            #expect(health?.body == #"{"status":"ok"}"#)
            let ready = try await gateway.ask("GET", "/api/health/ready", withToken: false)
            #expect(ready?.status == 503)
            #expect(ready?.body == #"{"status":"not_ready"}"#)
            let document = try await gateway.ask("GET", "/openapi.json", withToken: false)
            #expect(document?.status == 200)
            #expect(document?.value("content-type") == "application/json")
        }
    }

    @Test("is ready when every service is")
    func ready() async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { one in
            let all = [Upstream.chat: [one.port, 1], .ingest: [one.port], .admin: [one.port]]
            try await GatewayFixture.run(upstreams: all) { gateway in
                let ready = try await gateway.ask("GET", "/health/ready", withToken: false)
                #expect(ready?.body == #"{"status":"ready"}"#)
                #expect(service.last?.startLine == "GET /internal/ready HTTP/1.1")
            }
        }
    }

    @Test("when it stops it says so before it turns anybody away")
    func stopping() async throws {
        let service = EchoService()
        try await RawServer.run(service.handle) { one in
            let all = [Upstream.chat: [one.port], .ingest: [one.port], .admin: [one.port]]
            try await GatewayFixture.run(
                upstreams: all, settings: ["STOP_DELAY_SECONDS": "60"]
            ) { gateway in
                let before = try await gateway.ask("GET", "/health/ready", withToken: false)
                #expect(before?.status == 200)
                await gateway.stop()
                try await eventually {
                    let ready = try await gateway.ask("GET", "/health/ready", withToken: false)
                    return ready?.status == 503
                }
                let health = try await gateway.ask("GET", "/health", withToken: false)
                #expect(health?.status == 200)
                let answer = try await gateway.ask("GET", "/conversations")
                #expect(answer?.status == 200)
            }
        }
    }

    @Test("unsafe or missing settings are refused, all in one message")
    func settings() throws {
        var reader = SettingsReader([
            "OAUTH2_TRUST_HEADERS": "true", "OAUTH2_ALGORITHMS": "RS256,HS256",
            "CORS_ALLOWED_ORIGINS": "*", "INTERNAL_AUTH_KEY": "short", "HTTP_PORT": "70000",
            "ADMIN_URL": "https://x/y",
        ])
        do {
            _ = try GatewaySettings(from: &reader)
            Issue.record("settings were accepted")
        } catch {
            let names = [
                "OAUTH2_TRUST_HEADERS", "OAUTH2_ALGORITHMS", "CORS_ALLOWED_ORIGINS",
                "INTERNAL_AUTH_KEY", "HTTP_PORT", "OAUTH2_ISSUER", "CHAT_URL", "INGEST_URL",
                "ADMIN_URL",
            ]
            for name in names { #expect(error.description.contains(name), "\(name)") }
            #expect(!error.description.contains("short"))
        }
    }

    @Test("settings of the replaced deployment are understood")
    func oldNames() throws {
        var reader = SettingsReader([
            "APP_ENV": "dev", "OAUTH2_ISSUER": "https://issuer.test",
            "CELINE_OIDC_JWKS_URI": "https://issuer.test/certs", "CELINE_OIDC_AUDIENCE": "a,b",
            "OAUTH2_ALGORITHMS": #"["RS256", "ES256"]"#, "OAUTH2_JWKS_URL": "",
            "INTERNAL_AUTH_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "CHAT_URL": "http://a:1,http://b:2/",
        ])
        let settings = try GatewaySettings(from: &reader)
        #expect(settings.jwksURL == "https://issuer.test/certs")
        #expect(settings.audiences == ["a", "b"])
        #expect(settings.algorithms == ["RS256", "ES256"])
        #expect(settings.upstreams[.chat]?.map(\.authority) == ["a:1", "b:2"])
        #expect(settings.upstreams[.admin]?.map(\.port) == [8103])
    }
}

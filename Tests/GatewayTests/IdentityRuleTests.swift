import Foundation
import NIOHTTP1
import TestSupport
import Testing

@testable import Gateway

@Suite("Identity and cross-site rules")
struct IdentityRuleTests {
    private enum Place: CaseIterable { case proxyHeader, bearer, cookie }
    private enum Content: CaseIterable { case absent, empty, good, bad }

    @Test("every combination of the three places: the first that is not empty decides")
    func sources() async throws {
        try await GatewayFixture.run(settings: ["OAUTH2_JWT_COOKIE_NAME": "jwt"]) { gateway in
            var tokens: [Place: String] = [:]
            for place in Place.allCases {
                tokens[place] = try await gateway.issuer.token(subject: "\(place)")
            }
            for proxy in Content.allCases {
                for bearer in Content.allCases {
                    for cookie in Content.allCases {
                        let contents = [
                            (Place.proxyHeader, proxy), (.bearer, bearer), (.cookie, cookie),
                        ]
                        try await expect(gateway, contents, tokens)
                    }
                }
            }
        }
    }

    private func expect(
        _ gateway: GatewayFixture, _ contents: [(Place, Content)], _ tokens: [Place: String]
    ) async throws {
        let headers = contents.compactMap { place, content -> String? in
            let token: String
            switch content {
            case .absent: return nil
            case .empty: token = ""
            case .good: token = tokens[place] ?? ""
            case .bad: token = "x" + (tokens[place] ?? "")
            }
            switch place {
            case .proxyHeader: return "X-Auth-Request-Access-Token: \(token)"
            case .bearer: return "Authorization: bEARER \(token)"
            case .cookie: return "Cookie: a=b; jwt=\(token); c=d"
            }
        }
        let answer = try await gateway.ask("GET", "/user", headers: headers, withToken: false)
        let deciding = contents.first { $0.1 == .good || $0.1 == .bad }
        switch deciding {
        case (let place, .good)?:
            #expect(answer?.status == 200, "\(contents)")
            #expect(answer?.body.contains(#""sub":"\#(place)""#) == true, "\(contents)")
        case nil:
            #expect(answer?.status == 401, "\(contents)")
            #expect(answer?.value("www-authenticate") == "Bearer")
        default:
            #expect(answer?.status == 401, "\(contents)")
            #expect(
                answer?.value("www-authenticate")?.contains("error=\"invalid_token\"") == true)
        }
    }

    @Test("cookies are not read unless one is named")
    func noCookie() async throws {
        try await GatewayFixture.run { gateway in
            let token = try await gateway.issuer.token()
            let answer = try await gateway.ask(
                "GET", "/user", headers: ["Cookie: jwt=\(token)"], withToken: false)
            #expect(answer?.status == 401)
        }
    }

    @Test("headers of a proxy never make a user")
    func headersAlone() async throws {
        try await GatewayFixture.run { gateway in
            let answer = try await gateway.ask(
                "GET", "/user",
                headers: ["X-Auth-Request-User: root", "X-Auth-Request-Email: root@x"],
                withToken: false)
            #expect(answer?.status == 401)
        }
    }

    @Test("the profile has every name that clients know")
    func profile() async throws {
        try await GatewayFixture.run { gateway in
            let answer = try await gateway.ask("GET", "/api/assistant/user")
            let body = try JSONSerialization.jsonObject(with: Data((answer?.body ?? "").utf8))
            let profile = try #require(body as? [String: Any])
            #expect(
                Set(profile.keys) == [
                    "sub", "email", "name", "user_id", "username", "preferred_username",
                    "full_name", "first_name", "last_name", "groups", "is_admin",
                ])
            #expect(profile["sub"] as? String == "alice")
            #expect(profile["user_id"] as? String == "alice")
            #expect(profile["full_name"] as? String == "Name of alice")
            #expect(profile["first_name"] as? String == "")
            #expect(profile["is_admin"] as? Bool == false)
            let ping = try await gateway.ask("GET", "/ping")
            #expect(ping?.body == #"{"ok":true}"#)
        }
    }

    @Test("an unsafe request from another site is refused, whatever carries its token")
    func crossSite() {
        let rule = CrossSite(
            publicOrigins: ["https://app.example.org/"], allowedOrigins: ["https://ui.example.net"])
        let cases: [(HTTPMethod, [(String, String)], CrossSite.Verdict)] = [
            (.POST, [], .allowed),
            (.POST, [("Origin", "https://app.example.org")], .allowed),
            (.POST, [("Origin", "HTTPS://APP.example.org:443")], .allowed),
            (.POST, [("Origin", "https://ui.example.net")], .allowed),
            (
                .POST,
                [("Origin", "https://ui.example.net"), ("Sec-Fetch-Site", "cross-site")], .allowed
            ),
            (.POST, [("Origin", "http://gw.test:8000")], .allowed),
            (.POST, [("Origin", "https://gw.test:8000")], .allowed),
            (.POST, [("Origin", "https://gw.test")], .refused),
            (.POST, [("Origin", "https://evil.test")], .refused),
            (.POST, [("Origin", "null")], .refused),
            (.POST, [("Origin", "")], .refused),
            (.POST, [("Origin", "https://app.example.org.evil.test")], .refused),
            (
                .POST,
                [("Origin", "https://app.example.org"), ("Origin", "https://evil.test")], .refused
            ),
            (.POST, [("Sec-Fetch-Site", "cross-site")], .refused),
            (.DELETE, [("Sec-Fetch-Site", "Cross-Site")], .refused),
            (.PATCH, [("Origin", "https://evil.test")], .refused),
            (.POST, [("Sec-Fetch-Site", "same-origin")], .allowed),
            (.POST, [("Sec-Fetch-Site", "same-site")], .allowed),
            (
                .POST, [("Origin", "http://gw.test:8000"), ("Sec-Fetch-Site", "cross-site")],
                .refused
            ),
            (.GET, [("Origin", "https://evil.test")], .allowed),
            (.GET, [("Sec-Fetch-Site", "cross-site")], .allowed),
        ]
        for (method, headers, verdict) in cases {
            let head = HTTPRequestHead(
                version: .http1_1, method: method, uri: "/",
                headers: HTTPHeaders([("Host", "gw.test:8000")] + headers))
            #expect(rule.judge(head) == verdict, "\(method) \(headers)")
        }
    }

    @Test("a refused page gets 403, an allowed one the headers its browser asks for")
    func cors() async throws {
        let settings = ["CORS_ALLOWED_ORIGINS": "https://ui.example.net"]
        try await GatewayFixture.run(settings: settings) { gateway in
            let refused = try await gateway.ask(
                "POST", "/chat", headers: ["Origin: https://evil.test"])
            #expect(refused?.status == 403)
            #expect(refused?.body.contains(#""code":"cross_site""#) == true)
            let preflight = [
                "Origin: https://ui.example.net", "Access-Control-Request-Method: PATCH",
            ]
            let allowed = try await gateway.ask(
                "OPTIONS", "/api/conversations/x", headers: preflight, withToken: false)
            #expect(allowed?.status == 204)
            #expect(
                allowed?.value("access-control-allow-origin") == "https://ui.example.net")
            #expect(allowed?.value("access-control-allow-methods") == "GET, PATCH, DELETE")
            let unknown = try await gateway.ask(
                "OPTIONS", "/nothing", headers: preflight, withToken: false)
            #expect(unknown?.status == 404)
            let other = try await gateway.ask(
                "OPTIONS", "/chat",
                headers: ["Origin: https://evil.test", "Access-Control-Request-Method: POST"],
                withToken: false)
            #expect(other?.status == 403)
            #expect(other?.value("access-control-allow-origin") == nil)
            let read = try await gateway.ask(
                "GET", "/user", headers: ["Origin: https://ui.example.net"])
            #expect(read?.value("access-control-allow-origin") == "https://ui.example.net")
            #expect(read?.value("vary") == "Origin")
        }
    }
}

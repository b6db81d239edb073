import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite("The page over the API document")
struct DocsPageTests {
    @Test("shows every route in a browser that reaches no other host", arguments: [true, false])
    func inBrowser(hasViewer: Bool) async throws {
        let viewer = try TestSupport.environment("TEST_DOCS_VIEWER")
        try await GatewayFixture.run(settings: hasViewer ? ["DOCS_VIEWER": viewer] : [:]) {
            gateway in
            for path in ["/docs", "/api/assistant/docs"] {
                let shown = try await show("http://127.0.0.1:\(gateway.port)\(path)")
                #expect(shown.contains("swagger-ui") == hasViewer)
                for route in Routes.all {
                    // The viewer breaks long paths with <wbr>.
                    let isShown = shown.replacing("<wbr>", with: "").contains(">\(route.pattern)<")
                    #expect(isShown, "\(route.pattern) at \(path)")
                }
            }
        }
    }

    @Test("its files are these and no others")
    func files() async throws {
        try await GatewayFixture.run { gateway in
            let page = try await gateway.ask("GET", "/docs", withToken: false)
            #expect(page?.status == 200)
            #expect(page?.value("content-type") == "text/html; charset=utf-8")
            let policy = page?.value("content-security-policy")
            #expect(policy?.contains("default-src 'none'; script-src 'self'") == true)
            let known = try await gateway.ask("GET", "/docs/plain.js", withToken: false)
            #expect(known?.status == 200)
            for name in ["viewer.js", "swagger-ui.css", "..", "plain.jsx", "%70lain.js", ""] {
                let file = try await gateway.ask("GET", "/docs/" + name, withToken: false)
                #expect(file?.status == 404, "\(name)")
            }
        }
    }

    /// What the page is when its scripts have run.
    private func show(_ address: String) async throws -> String {
        let profile = NSTemporaryDirectory() + "browser-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: profile) }
        return try await runToEnd(
            "/usr/bin/chromium",
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(profile)",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                "--virtual-time-budget=20000", "--dump-dom", address,
            ])
    }
}

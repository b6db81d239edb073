package import Hummingbird

/// `/internal/health`: the process answers. `/internal/ready`: so does all it needs.
package struct HealthRoutes: Sendable {
    package typealias Check = @Sendable () async -> Bool
    private static let checkTime = Duration.seconds(2)

    private let checks: [(name: String, isReady: Check)]

    package init(checks: [(String, Check)]) {
        self.checks = checks.map { (name: $0.0, isReady: $0.1) }
    }

    package func add(to router: some RouterMethods<OpenContext>) {
        router.get("internal/health") { _, _ in
            try JSONResponse.make(.ok, ["status": "ok"])
        }
        router.get("internal/ready") { _, _ in
            let states = await states()
            let isReady = states.values.allSatisfy { $0 == "ok" }
            return try JSONResponse.make(
                isReady ? .ok : .serviceUnavailable,
                Body(status: isReady ? "ready" : "not_ready", checks: states))
        }
    }

    private struct Body: Encodable {
        let status: String
        let checks: [String: String]
    }

    private func states() async -> [String: String] {
        await withTaskGroup(of: (String, Bool).self) { group in
            for check in checks {
                group.addTask { (check.name, await Self.isReady(check.isReady)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 ? "ok" : "away" }
        }
    }

    private static func isReady(_ check: @escaping Check) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await check() }
            group.addTask {
                // Cancelled means that the check was faster, and its word counts.
                try? await Task.sleep(for: checkTime)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
    }
}

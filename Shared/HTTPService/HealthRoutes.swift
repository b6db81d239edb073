package import Hummingbird

/// `/internal/health`: the process answers. `/internal/ready`: so does all it needs.
package struct HealthRoutes: Sendable {
    package typealias Check = @Sendable () async -> Bool
    private static let checkTime = Duration.seconds(2)

    /// What is the matter with something it can do without; nil when nothing is.
    package typealias Note = @Sendable () async -> String?

    private let checks: [(name: String, isReady: Check)]
    private let notes: [(name: String, find: Note)]

    package init(checks: [(String, Check)], notes: [(String, Note)] = []) {
        self.checks = checks.map { (name: $0.0, isReady: $0.1) }
        self.notes = notes.map { (name: $0.0, find: $0.1) }
    }

    package func add(to router: some RouterMethods<OpenContext>) {
        router.get("internal/health") { _, _ in
            try JSONResponse.make(.ok, ["status": "ok"])
        }
        router.get("internal/ready") { _, _ in
            async let found = findNotes()
            let states = await states()
            let isReady = states.values.allSatisfy { $0 == "ok" }
            return try JSONResponse.make(
                isReady ? .ok : .serviceUnavailable,
                Body(
                    status: isReady ? "ready" : "not_ready", checks: states, notes: await found))
        }
    }

    private struct Body: Encodable {
        let status: String
        let checks: [String: String]
        /// Of what is degraded, in words.
        let notes: [String: String]
    }

    private func findNotes() async -> [String: String] {
        await withTaskGroup(of: (String, String?).self) { group in
            for note in notes {
                group.addTask {
                    (note.name, await Self.inTime(else: "not known in time", note.find))
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func states() async -> [String: String] {
        await withTaskGroup(of: (String, Bool).self) { group in
            for check in checks {
                group.addTask { (check.name, await Self.inTime(else: false, check.isReady)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 ? "ok" : "away" }
        }
    }

    private static func inTime<Answer: Sendable>(
        else late: Answer, _ ask: @escaping @Sendable () async -> Answer
    ) async -> Answer {
        await withTaskGroup(of: Answer.self) { group in
            group.addTask { await ask() }
            group.addTask {
                // Cancelled means that the other was faster, and its word counts.
                try? await Task.sleep(for: checkTime)
                return late
            }
            let first = await group.next() ?? late
            group.cancelAll()
            return first
        }
    }
}

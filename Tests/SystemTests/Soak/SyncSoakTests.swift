import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite("Syncs that are killed") struct SyncSoakTests {
    /// One more of them than usual makes a page longer than a chunk.
    private static let pageCount = 20

    @Test("show the pages of one commit at every moment, and the last one's in the end")
    func killed() async throws {
        let size = SoakSize()
        var generator = SeededGenerator(seed: size.seed)
        let killCount = size.syncKillCount
        let scripted = try environment("TEST_SCRIPTED_URL")
        let models = [
            "OPENAI_EMBED_BASE_URL": scripted, "OPENAI_EMBED_MODEL": "sync-passages",
            "OPENAI_EMBED_QUERY_BASE_URL": scripted,
            "OPENAI_EMBED_QUERY_MODEL": "sync-questions", "EMBED_BATCH_SIZE": "8",
        ]
        try await withDeployment(settings: models) { deployment, replica in
            let watch = EditionWatch(deployment)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await watch.run() }
                for edition in 1...killCount {
                    try write(edition, in: deployment.trainingRepository)
                    let syncing = try deployment.startSyncing()
                    let worker = try deployment.startWorker()
                    try await pause(in: deployment, &generator)
                    // Its git child dies with its folder, or goes on as an orphan for a while.
                    syncing.kill9()
                    worker.kill9()
                }
                let admin = try await deployment.operatorMember(at: replica)
                try write(killCount + 1, in: deployment.trainingRepository)
                try await eventually(within: .seconds(120)) {
                    let answer = try await admin.post("/admin/training-materials/sync")
                    // An orphan may be at work in the clone.
                    let isDisturbed = answer["code"] == "repository_unreadable"
                    let isExpected = [200, 202, 409].contains(answer.status) || isDisturbed
                    #expect(isExpected, "\(answer.text)")
                    return answer.status == 200 && answer.json["status"] as? String == "ok"
                }
                watch.stop()
                try await group.waitForAll()
            }
            #expect(try await watch.look() == ["\(killCount + 1)": Self.pageCount])
            try await eventually(within: .seconds(60)) {
                try await unfinishedJobs(in: deployment) == 0
            }
            print("syncs killed: \(killCount), looked \(watch.lookCount) times, saw \(watch.seen)")
        }
    }

    /// Any moment at all, or one around that in which a commit's pages come to be shown.
    private func pause(
        in deployment: Deployment, _ generator: inout SeededGenerator
    ) async throws {
        guard Bool.random(using: &generator) else {
            return try await Task.sleep(
                for: .milliseconds(Int.random(in: 100...1800, using: &generator)))
        }
        let openCount = Int.random(in: 0...3, using: &generator)
        let end = ContinuousClock.now + .seconds(3)
        while try await openPages(in: deployment) > openCount, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(2))
        }
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...60, using: &generator)))
    }

    /// Of the sync that is going on, not indexed yet; all of them while there is none.
    private func openPages(in deployment: Deployment) async throws -> Int {
        let rows = try await deployment.database.read { session in
            try session.run(
                """
                SELECT count(*) FILTER (WHERE p.state <> 'ready') AS open
                FROM celine_assistant.training_syncs s
                JOIN celine_assistant.training_sync_pages p ON p.sync_id = s.id
                WHERE s.state = 'indexing' GROUP BY s.id
                """)
        }
        return try rows.first?.get("open") ?? Self.pageCount
    }

    private func write(_ edition: Int, in repository: TrainingRepository) throws {
        for number in 1...Self.pageCount {
            try repository.write(
                "# Page \(number)\n\nEdition \(edition).\n", to: "en/page\(number).md")
        }
        for page in ["it", "en"] where edition == 1 {
            let folder = URL(filePath: repository.path).appending(path: page)
            for file in try FileManager.default.contentsOfDirectory(atPath: folder.path)
            where !file.hasPrefix("page") {
                try FileManager.default.removeItem(at: folder.appending(path: file))
            }
        }
        try repository.commit("Edition \(edition)")
    }
}

/// Looks again and again at what would be retrieved: how many pages of each edition there are.
private final class EditionWatch: Sendable {
    private struct State {
        var isOver = false
        var lookCount = 0
        var seen: Set<String> = []
    }

    private let deployment: Deployment
    private let state = Mutex(State())

    init(_ deployment: Deployment) { self.deployment = deployment }

    var lookCount: Int { state.withLock { $0.lookCount } }
    var seen: [String] { state.withLock { $0.seen.sorted() } }

    func stop() { state.withLock { $0.isOver = true } }

    func run() async throws {
        while !state.withLock({ $0.isOver }) {
            let editions = try await look()
            #expect(editions.count <= 1, "pages of several commits: \(editions)")
            state.withLock {
                $0.lookCount += 1
                $0.seen.formUnion(editions.keys)
            }
        }
    }

    func look() async throws -> [String: Int] {
        try await deployment.database.read { session in
            var editions: [String: Int] = [:]
            let rows = try session.run(
                """
                SELECT substring(c.text from 'Edition ([0-9]+)') AS edition,
                       count(DISTINCT t.path) AS pages
                FROM celine_assistant.training_pages t
                JOIN celine_assistant.documents d
                    ON d.id = t.document_id AND d.deleted_at IS NULL
                JOIN celine_assistant.indexed_documents i ON i.document_id = t.document_id
                JOIN celine_assistant.generations g
                    ON g.number = i.generation AND g.state = 'live'
                JOIN celine_assistant.chunks c ON c.revision_id = i.revision_id
                GROUP BY 1
                """)
            for row in rows {
                editions[try row.find("edition") ?? "none"] = try row.get("pages")
            }
            return editions
        }
    }
}

import Domain
import Foundation
import Postgres
import ServiceRuntime
import TestSupport
import Testing

@testable import Admin
@testable import Git

@Suite("Pages of the training materials")
struct TrainingPagesTests {
    private static let path = "/admin/training-materials/sync?verbose=true"

    private func pages(
        _ pages: [(String, String)], from url: String = "https://git.example/materials.git",
        site: String? = nil, byteCountMax: Int = 1 << 20
    ) throws -> [String: TrainingPages.Page] {
        let snapshot = GitSnapshot(
            commit: "abc",
            pages: pages.map { GitSnapshot.Page(path: $0.0, content: $0.1) }, oversized: [])
        let found = try TrainingPages(
            of: snapshot, from: try GitRemoteURL(url), site: site, byteCountMax: byteCountMax
        ).pages
        return Dictionary(uniqueKeysWithValues: found.map { ($0.path, $0) })
    }

    @Test("link to where the others are read")
    func links() throws {
        let all = try pages([
            (
                "it/a.md",
                """
                [b](b.md#x) [c](../en/c) [d](/en/) [i](../img/x.png) [m](mailto:a@b) [n](no.md)
                """
            ),
            ("it/b.md", "---\nurl: https://site.example/b\n---\n# B"),
            ("en/c.md", "# C\n\nSource: https://law.example/c"), ("en/index.md", "# D"),
        ])
        #expect(
            all["it/a.md"]?.content == """
                [b](https://site.example/b#x) [c](https://law.example/c) \
                [d](https://git.example/materials/blob/HEAD/en/index.md) \
                [i](https://git.example/materials/blob/HEAD/img/x.png) [m](mailto:a@b) \
                [n](https://git.example/materials/blob/HEAD/it/no.md)
                """)
        #expect(all["en/index.md"]?.url == "https://git.example/materials/blob/abc/en/index.md")
        let onSite = try pages(
            [("docs/it/a.md", "[b](b.md) [i](i.png)"), ("docs/it/b.md", "# B")],
            from: "/srv/materials", site: "https://docs.example")
        #expect(
            onSite["docs/it/a.md"]?.content == "[b](https://docs.example/it/b/) [i](i.png)")
    }

    @Test("are bounded together, as they are once their links are whole")
    func bounded() throws {
        let url = "https://site.example/" + String(repeating: "b", count: 400)
        let all = [
            ("a.md", String(repeating: "](b.md)", count: 300)),
            ("b.md", "---\nurl: \(url)\n---\n# B"),
        ]
        let byteCount = try pages(all).values.reduce(0) { $0 + $1.content.utf8.count }
        #expect(byteCount > 300 * 400)
        #expect(try pages(all, byteCountMax: byteCount).count == 2)
        #expect(throws: GitFailure.tooLarge("content")) {
            try pages(all, byteCountMax: byteCount - 1)
        }
    }

    @Test("change with their address, but not with the commit they are in")
    func hashes() throws {
        func hash(_ content: String, site: String? = nil) throws -> [UInt8]? {
            try pages([("a.md", content)], site: site)["a.md"]?.hash
        }
        #expect(try hash("# A") == hash("# A"))
        #expect(try hash("# A") != hash("# A", site: "https://docs.example"))
        #expect(
            try hash("# A", site: "https://x.example") != hash("# A", site: "https://y.example"))
    }

    @Test("are told one by one when asked for, with what became of each")
    func verbose() async throws {
        try await AdminWorld.run { world in
            let first = try await world.post(Self.path)
            #expect(
                try statuses(first) == [
                    "en/tariff.md": "indexed", "it/contatori.markdown": "indexed",
                ])
            try world.remote.write("# Tariff\n\nbroken", to: "en/tariff.md")
            try world.remote.write(
                "---\ntitle: Privacy\nurl: https://x.example/p\ntags: [law]\n---\nText.\n",
                to: "en/privacy.md")
            try world.remote.write(String(repeating: "long ", count: 300_000), to: "long.md")
            try FileManager.default.removeItem(
                atPath: world.remote.author + "/it/contatori.markdown")
            try world.remote.publish("Edit")
            let second = try await world.post(Self.path)
            #expect(
                try statuses(second) == [
                    "en/tariff.md": "failed", "en/privacy.md": "indexed", "long.md": "too_large",
                    "it/contatori.markdown": "removed",
                ])
            let files = try #require(second.part("ingest")["files"] as? [[String: Any]])
            let privacy = try #require(files.first { $0["path"] as? String == "en/privacy.md" })
            #expect(privacy["title"] as? String == "Privacy")
            #expect(privacy["url"] as? String == "https://x.example/p")
            let tariff = try #require(files.first { $0["path"] as? String == "en/tariff.md" })
            #expect(tariff["reason"] as? String == "broken")
            let tags = try await world.pool.read { session in
                try session.run("SELECT tags FROM training_pages WHERE path = 'en/privacy.md'")
                    .first?.get("tags", as: [String].self)
            }
            #expect(tags == ["law"])
            let third = try await world.post(Self.path)
            #expect(try statuses(third)["en/privacy.md"] == "skipped")
            let quiet = try await world.post("/admin/training-materials/sync")
            #expect(quiet.part("ingest")["files"] == nil)
            let twice = try await world.post(Self.path + "&verbose=false")
            #expect(twice.status == 422)
        }
    }

    private func statuses(_ reply: AdminWorld.Reply) throws -> [String: String] {
        let files = try #require(reply.part("ingest")["files"] as? [[String: Any]], "\(reply.text)")
        return Dictionary(
            uniqueKeysWithValues: files.map {
                ($0["path"] as? String ?? "", $0["status"] as? String ?? "")
            })
    }

    @Test("are not indexed again by a sync that nobody asked for, nor is that written down")
    func unasked() async throws {
        try await AdminWorld.run { world in
            let materials = world.admin.materials
            #expect(try await !materials.wasSynced(withinSeconds: 60))
            _ = try await materials.sync(to: nil, by: .schedule)
            #expect(try await materials.wasSynced(withinSeconds: 60))
            for _ in 0..<2 { _ = try await materials.sync(to: nil, by: .schedule) }
            let records = try await world.get("/admin/audit?action=training.synced")
            #expect((records.json["items"] as? [Any])?.count == 1, "\(records.text)")
        }
    }

    @Test(
        "are fetched only as the settings allow",
        arguments: [
            (
                ["TRAINING_MATERIALS_REPO_URL": "https://a:b@h.example/x"],
                "TRAINING_MATERIALS_TOKEN"
            ),
            (["TRAINING_MATERIALS_REPO_URL": "file:///srv/x"], "TRAINING_MATERIALS_ALLOW_PRIVATE"),
            (["TRAINING_MATERIALS_REPO_URL": "/srv/x"], "TRAINING_MATERIALS_ALLOW_PRIVATE"),
            (["TRAINING_MATERIALS_REPO_URL": "http://h.example/x"], "ALLOW_PRIVATE"),
            (["TRAINING_MATERIALS_REPO_URL": "ssh://git@h.example/x"], "SSH_KEY_FILE"),
            (["TRAINING_MATERIALS_REPO_URL": "ext::sh -c x"], "must begin with"),
            (
                [
                    "TRAINING_MATERIALS_REPO_URL": "https://h.example/x",
                    "TRAINING_MATERIALS_TOKEN": "secret",
                ], "TRAINING_MATERIALS_TOKEN_HOST"
            ),
            (["TRAINING_MATERIALS_SSH_KEY_FILE": "/k"], "go together"),
            (["TRAINING_MATERIALS_SYNC_SECONDS": "5"], "TRAINING_MATERIALS_SYNC_SECONDS"),
        ])
    func settings(_ values: [String: String], _ told: String) {
        var reader = SettingsReader(["APP_ENV": "dev"].merging(values) { $1 })
        _ = AdminSettings(from: &reader)
        do {
            try reader.finish()
            Issue.record("nothing was refused")
        } catch {
            #expect("\(error)".contains(told), "\(error)")
            #expect(!"\(error)".contains("secret") && !"\(error)".contains("a:b@"))
        }
    }
}

import Database
import Domain
import Postgres
import TestSupport
import Testing

@Suite("Visibility")
struct VisibilityTests {
    @Test("is one's own, what is shared and the training materials; nothing that is deleted")
    func shows() async throws {
        try await withDatabase { pool in
            let titles = try await pool.transaction { transaction in
                let store = DocumentStore(transaction)
                let alice = Owner.user(User.ID(rawValue: "alice"))
                let bob = Owner.user(User.ID(rawValue: "bob"))
                for (title, kind, owner) in [
                    ("hers", Document.Kind.upload, alice), ("his", .upload, bob),
                    ("everybody's", .upload, .shared), ("a page", .training, .shared),
                ] {
                    try store.insert(Document.ID(), kind: kind, owner: owner, title: title)
                }
                let gone = Document.ID()
                try store.insert(gone, kind: .upload, owner: alice, title: "gone")
                _ = try store.delete(gone)
                return try [
                    Set(SourceKind.allCases), [.mine], [.shared], [.training], [.mine, .training],
                    [],
                ].map { try visible($0, transaction) }
            }
            #expect(
                titles == [
                    ["a page", "everybody's", "hers"], ["hers"], ["everybody's"], ["a page"],
                    ["a page", "hers"], [],
                ])
        }
    }

    private func visible(_ sources: Set<SourceKind>, _ session: Session) throws -> [String] {
        let alice = Principal(user: User.ID(rawValue: "alice"), isAdmin: true)
        return try session.run(
            """
            SELECT x.title FROM documents x
            WHERE \(sql: Visibility.documents(for: alice, alias: "x", sources: sources))
            ORDER BY x.title
            """
        ).map { try $0.get("title") }
    }
}

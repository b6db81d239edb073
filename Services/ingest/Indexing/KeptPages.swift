import Database
import JobQueue
import Postgres

/// Recognised pages in Postgres, as long as the document stands and the job is ours.
struct KeptPages: PageKeeping {
    let document: IndexableDocument
    let job: ClaimedJob
    let pool: PostgresPool

    func find() async throws -> [PageLayout] {
        let id = document.id
        let rows = try await pool.read { try RecognisedPageStore($0).list(of: id) }
        // One that another version has written otherwise is read again.
        return rows.flatMap { (try? RecognisedPages.decode($0)) ?? [] }
    }

    func keep(_ page: PageLayout) async throws {
        let layout = try RecognisedPages.encode([page])
        let id = document.id
        try await pool.transaction { transaction in
            guard try DocumentStore(transaction).findLocked(id) != nil else {
                throw JobFailure.leaseLost
            }
            try job.requireLease(in: transaction)
            try RecognisedPageStore(transaction).insert(page.number, of: id, layout)
        }
    }
}

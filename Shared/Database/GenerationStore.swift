package import Domain
package import Postgres

/// Index generations: which collections there are, and which of them questions go to.
package struct GenerationStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    package func live() throws(PostgresError) -> Generation? {
        try generations("WHERE state = 'live'").first
    }

    package func building() throws(PostgresError) -> Generation? {
        try generations("WHERE state = 'building'").first
    }

    package func find(_ number: Int) throws(PostgresError) -> Generation? {
        try generations("WHERE number = \(number)").first
    }

    /// All that ever were, oldest first.
    package func list() throws(PostgresError) -> [Generation] { try generations("") }

    /// Those that documents are indexed into.
    package func active() throws(PostgresError) -> [Generation] {
        try generations("WHERE state IN ('building', 'live')")
    }

    /// The same, kept from being swapped until the transaction ends.
    ///
    /// Lock documents before jobs and jobs before generations, everywhere.
    package func lockActive() throws(PostgresError) -> [Generation] {
        try generations("WHERE state IN ('building', 'live')", lock: "FOR SHARE")
    }

    /// Those whose collections are being filled or dropped by a job.
    package func numbersInTheMaking() throws(PostgresError) -> Set<Int> {
        var numbers: Set<Int> = []
        for row in try session.run(
            """
            SELECT g.number FROM generations g JOIN jobs j ON j.subject = 'generation ' || g.number
            WHERE j.kind IN (\(BuildGenerationJob.kind), \(DropGenerationJob.kind))
              AND j.state IN ('ready', 'running')
            """)
        {
            numbers.insert(try row.get("number"))
        }
        return numbers
    }

    /// The live generation; the first one, when there has been none.
    package func ensureLive(
        _ index: IndexDescription, collectionBase: String
    ) throws(PostgresError) -> Generation {
        if let live = try live() { return live }
        // Two that start together: the second waits here and then finds the first one's.
        try session.run("LOCK TABLE generations IN SHARE ROW EXCLUSIVE MODE")
        if let live = try live() { return live }
        let generation = try insert(index, collectionBase: collectionBase)
        try setState(generation.number, "state = 'live', activated_at = now()")
        return Generation(
            number: generation.number, state: .live, index: index,
            collection: generation.collection)
    }

    /// A generation to be built beside the live one. There is one at a time: a second is refused by
    /// `generations_one_building`.
    package func insert(
        _ index: IndexDescription, collectionBase: String
    ) throws(PostgresError) -> Generation {
        let rows = try session.run(
            "SELECT coalesce(max(number), 0) + 1 AS number FROM generations")
        let number = try rows.first?.get("number", as: Int.self) ?? 1
        let collection = index.collection(base: collectionBase, number: number)
        try session.run(
            """
            INSERT INTO generations (number, state, collection, description, fingerprint)
            VALUES (\(number), 'building', \(collection), \(JSON(index)), \(index.fingerprint))
            """)
        return Generation(number: number, state: .building, index: index, collection: collection)
    }

    /// Swaps a built generation in. Nil, and nothing is changed, while it lacks a document that the
    /// live one shows, or when it is not being built.
    package func setLive(_ number: Int) throws(PostgresError) -> RetiredGeneration? {
        // Waits for the transactions that are adding a document to the set there is now.
        let states = try session.run(
            """
            SELECT number, state FROM generations
            WHERE state IN ('building', 'live') ORDER BY number FOR UPDATE
            """)
        var old: Int?
        var isBuilding = false
        for row in states {
            let found = try row.get("number", as: Int.self)
            switch try row.get("state", as: Generation.State.self) {
            case .live: old = found
            default: isBuilding = isBuilding || found == number
            }
        }
        guard isBuilding, try missingCount(in: number, shownBy: old) == 0 else { return nil }
        if let old { try setState(old, "state = 'retired', retired_at = now()") }
        try setState(number, "state = 'live', activated_at = now()")
        return RetiredGeneration(old: old)
    }

    /// Documents that one generation shows and another does not.
    package func missingCount(
        in number: Int, shownBy other: Int?
    ) throws(PostgresError) -> Int {
        try session.run(
            """
            SELECT count(*) AS missing FROM documents d
            WHERE d.deleted_at IS NULL
              AND EXISTS (
                  SELECT FROM indexed_documents i WHERE i.tenant_id = d.tenant_id
                    AND i.document_id = d.id AND i.generation = \(other))
              AND NOT EXISTS (
                  SELECT FROM indexed_documents i WHERE i.tenant_id = d.tenant_id
                    AND i.document_id = d.id AND i.generation = \(number))
            """
        ).first?.get("missing") ?? 0
    }

    /// Whether a chat replica that lives may still ask this generation. One that was silent for a
    /// minute is dead: they beat every few seconds.
    package func isAsked(_ number: Int) throws(PostgresError) -> Bool {
        try !session.run(
            """
            SELECT id FROM chat_replicas
            WHERE generation = \(number) AND heartbeat_at > now() - interval '1 minute' LIMIT 1
            """
        ).isEmpty
    }

    /// Its collection is gone, and with it what it showed.
    package func setDropped(_ number: Int) throws(PostgresError) {
        try session.run("DELETE FROM indexed_documents WHERE generation = \(number)")
        try setState(number, "state = 'dropped'")
    }

    private func setState(_ number: Int, _ change: SQL) throws(PostgresError) {
        try session.run("UPDATE generations SET \(sql: change) WHERE number = \(number)")
    }

    private func generations(
        _ condition: SQL, lock: SQL = ""
    ) throws(PostgresError) -> [Generation] {
        let rows = try session.run(
            """
            SELECT number, state, collection, description FROM generations \(sql: condition)
            ORDER BY number \(sql: lock)
            """)
        var generations: [Generation] = []
        for row in rows {
            generations.append(
                Generation(
                    number: try row.get("number"), state: try row.get("state"),
                    index: try row.get("description", as: JSON<IndexDescription>.self).value,
                    collection: try row.get("collection")))
        }
        return generations
    }
}

/// What a swap replaced.
package struct RetiredGeneration: Sendable, Hashable {
    /// Nil for the very first.
    package let old: Int?
}

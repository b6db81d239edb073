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

    /// Whether documents are indexed into it.
    package func isActive(_ number: Int) throws(PostgresError) -> Bool {
        let state = try find(number)?.state
        return state == .building || state == .live
    }

    /// Those that documents are indexed into.
    package func active() throws(PostgresError) -> [Generation] {
        try generations("WHERE state IN ('building', 'live')")
    }

    /// The same, kept from being swapped until the transaction ends.
    ///
    /// Lock documents before jobs and jobs before generations, everywhere.
    package func lockActive() throws(PostgresError) -> [Generation] {
        while true {
            let locked = try generations("WHERE state IN ('building', 'live')", lock: "FOR SHARE")
            // Who waited for a swap sees the rows as they are after it, but no row that came in by
            // it: looking again finds that one too.
            let isWhole = locked.contains { $0.state == .live }
            if isWhole { return locked }
            if try live() == nil { return locked }
        }
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
    /// live one shows, or when it is not being built. One that is forced may lack what has failed.
    package func setLive(_ number: Int) throws(PostgresError) -> RetiredGeneration? {
        let states = try lockStates()
        guard states[number] == .building else { return nil }
        let missing = try GenerationContentStore(session).missing(in: number)
        let isForced = try life(of: number)?.isForced ?? false
        guard missing.openCount == 0, isForced || missing.failedCount == 0 else { return nil }
        let old = states.first { $0.value == .live }?.key
        if let old { try setState(old, "state = 'retired', retired_at = clock_timestamp()") }
        try setState(
            number,
            """
            state = 'live', activated_at = clock_timestamp(), retired_at = NULL, blocked_by = '{}'
            """)
        return RetiredGeneration(old: old)
    }

    /// The generations that are building or live, so that nobody changes that or adds a document to
    /// them until the transaction ends. Waits for those who are doing so.
    package func lockStates() throws(PostgresError) -> [Int: Generation.State] {
        let rows = try session.run(
            """
            SELECT number, state FROM generations
            WHERE state IN ('building', 'live') ORDER BY number FOR UPDATE
            """)
        var states: [Int: Generation.State] = [:]
        for row in rows {
            states[try row.get("number", as: Int.self)] = try row.get("state")
        }
        return states
    }

    /// A retired one is to catch up with the live one, to be swapped in again. False when it is given
    /// up, or is not retired any more.
    package func setBuilding(_ number: Int) throws(PostgresError) -> Bool {
        try !session.run(
            """
            UPDATE generations
            SET state = 'building', forced_at = NULL, blocked_by = '{}', checked = NULL
            WHERE number = \(number) AND state = 'retired' AND dropping_at IS NULL
            RETURNING number
            """
        ).isEmpty
    }

    /// The name of its collection from now on.
    package func setCollection(_ number: Int, _ name: String) throws(PostgresError) {
        try session.run(
            "UPDATE generations SET collection = \(name) WHERE number = \(number)")
    }

    /// It is to be swapped in whatever the check says, and without what has failed.
    package func setForced(_ number: Int) throws(PostgresError) {
        try setState(number, "forced_at = now()")
    }

    /// Ends a building. One that was live before is kept as it was; any other is given up.
    package func setCancelled(_ number: Int) throws(PostgresError) {
        try setState(
            number,
            """
            state = 'retired', retired_at = coalesce(retired_at, clock_timestamp()),
            blocked_by = '{}',
            dropping_at = CASE WHEN activated_at IS NULL THEN clock_timestamp() END
            """)
    }

    /// Gives a retired one up. False when it is not retired, or was given up before.
    package func setDropping(_ number: Int) throws(PostgresError) -> Bool {
        try !session.run(
            """
            UPDATE generations SET dropping_at = clock_timestamp()
            WHERE number = \(number) AND state = 'retired' AND dropping_at IS NULL
            RETURNING number
            """
        ).isEmpty
    }

    /// Retired ones that are kept, but for the newest few.
    package func listPrunable(keeping count: Int) throws(PostgresError) -> [Int] {
        let rows = try session.run(
            """
            SELECT number FROM generations WHERE state = 'retired' AND dropping_at IS NULL
            ORDER BY retired_at DESC, number DESC OFFSET \(count)
            """)
        var numbers: [Int] = []
        for row in rows { numbers.append(try row.get("number")) }
        return numbers
    }

    /// Where it stands beside its state; nil when there is none of this number.
    package func life(of number: Int) throws(PostgresError) -> GenerationLife? {
        let rows = try session.run(
            """
            SELECT forced_at IS NOT NULL AS forced, dropping_at IS NOT NULL AS dropping,
                   coalesce(extract(epoch FROM clock_timestamp() - dropping_at), 0)::float8 AS age,
                   checked
            FROM generations WHERE number = \(number)
            """)
        guard let row = rows.first else { return nil }
        return GenerationLife(
            isForced: try row.get("forced"), isDropping: try row.get("dropping"),
            droppingSeconds: try row.get("age"),
            check: try row.find("checked", as: JSON<GenerationCheck>.self)?.value)
    }

    /// Nothing stands in its way any more, as far as is known.
    package func setUnblocked(_ number: Int) throws(PostgresError) {
        try session.run(
            """
            UPDATE generations SET blocked_by = '{}' WHERE number = \(number) AND blocked_by <> '{}'
            """)
    }

    /// What stands in the way of one that is being built, and what its last check found.
    package func setBlocked(
        _ number: Int, by blockers: [GenerationBlocker], check: GenerationCheck? = nil
    ) throws(PostgresError) {
        let names = blockers.map(\.rawValue)
        try session.run(
            """
            UPDATE generations SET blocked_by = \(names)::text[],
                checked = coalesce(\(check.map { JSON($0) }), checked)
            WHERE number = \(number) AND state = 'building'
            """)
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

    /// It shows nothing, whatever its collection held: that is lost, or about to be.
    package func clear(_ number: Int) throws(PostgresError) {
        try session.run("DELETE FROM indexed_documents WHERE generation = \(number)")
    }

    /// Its collection is gone, and with it what it showed.
    package func setDropped(_ number: Int) throws(PostgresError) {
        try clear(number)
        try setState(number, "state = 'dropped', dropped_at = now()")
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

/// Where a generation stands beside its state.
package struct GenerationLife: Sendable, Hashable {
    /// An operator wants it whatever blocks it.
    package let isForced: Bool
    /// Given up: its collection goes once nobody writes to it or asks it.
    package let isDropping: Bool
    /// Since when; 0 when it is not.
    package let droppingSeconds: Double
    package let check: GenerationCheck?
}

import Database
import Domain
import Postgres
import Qdrant

/// Which collections there are, against which there should be.
struct CollectionComparison: Sendable {
    let pool: PostgresPool
    let qdrant: Qdrant
    let base: String
    let repair: Repair?

    /// What looks wrong, and since when it does.
    struct Differences: Sendable {
        let seenAt = ContinuousClock.now
        let missing: [Generation]
        let orphaned: [String]
        /// None of the generations has its collection here: this may be the engine of others.
        let isForeign: Bool
    }

    /// What looked wrong and still does: a collection is made after its row is written, and goes before
    /// that is said.
    func lookAgain(
        at first: Differences, _ settling: Settling, _ findings: inout Findings
    ) async throws {
        guard !first.missing.isEmpty || !first.orphaned.isEmpty else { return }
        try await settling.wait(since: first.seenAt)
        let second = try await look(&findings)
        for generation in second.missing where first.missing.contains(generation) {
            findings.add(
                .missingCollections,
                .init(
                    generation.collection, generation: generation.number,
                    repair: try await repair?.makeCollection(generation)))
        }
        for name in second.orphaned where first.orphaned.contains(name) {
            let detail =
                second.isForeign ? "None of the generations has a collection in this engine." : nil
            findings.add(
                .orphanedCollections,
                .init(
                    name, detail: detail,
                    repair: try await repair?.dropCollection(name, isForeign: second.isForeign)))
        }
    }

    /// The engine first: a row is there before its collection is.
    func look(_ findings: inout Findings) async throws -> Differences {
        let all = try await patiently { try await qdrant.collectionNames() }
        let names = all.filter { Generation.isCollection($0, base: base) }
        let (generations, inTheMaking) = try await pool.read { session in
            let store = GenerationStore(session)
            return (
                try store.list().filter { $0.state != .dropped },
                try store.numbersInTheMaking()
            )
        }
        findings.count { $0.collectionCount = names.count }
        let wanted = Set(generations.map(\.collection))
        let found = Set(all)
        return Differences(
            missing: generations.filter {
                !found.contains($0.collection) && !inTheMaking.contains($0.number)
            },
            orphaned: names.filter { !wanted.contains($0) }.sorted(),
            isForeign: wanted.isDisjoint(with: found))
    }
}

/// Asks the engine again for a while when it is away: a comparison may take long, and begin anew
/// otherwise.
func patiently<Value>(_ ask: () async throws -> Value) async throws -> Value {
    let end = ContinuousClock.now + .seconds(20)
    while true {
        do {
            return try await ask()
        } catch let error as QdrantError where error == .unreachable && ContinuousClock.now < end {
            try await Task.sleep(for: .seconds(1))
        }
    }
}

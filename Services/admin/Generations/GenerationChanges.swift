import Database
import Domain
import HTTPService
import JobQueue
import Postgres
import Qdrant

/// What an operator does with a generation. Each is one transaction; workers do what is left.
struct GenerationChanges: Sendable {
    let pool: PostgresPool
    let queue: JobQueue
    let qdrant: Qdrant

    private static let countingDeadline = Duration.seconds(30)

    /// Makes a retired one live again: at once, or, where documents came or changed since, as soon as
    /// the workers have brought those in. Of one that is being built, `isForced` says that it shall
    /// become live whatever stands in its way.
    ///
    /// - Returns: whether it is live.
    func activate(_ number: Int, isForced: Bool, by author: AuditAuthor) async throws -> Bool {
        let isWhole = try await isWhole(number)
        return try await pool.transaction { transaction in
            let store = GenerationStore(transaction)
            // Nobody shows a document, swaps or begins to build until we are through.
            let states = try store.lockStates()
            guard let generation = try store.find(number) else {
                throw Problem.generationNotFound
            }
            switch generation.state {
            case .live: return true
            case .building:
                if !isForced { return false }
            case .dropped: throw Problem.generationDropped
            case .retired:
                if states.values.contains(.building) { throw Problem.anotherIsBuilt }
                guard try store.setBuilding(number) else { throw Problem.generationDropped }
                // What its collection held is lost: it is filled from the beginning.
                if !isWhole { try store.clear(number) }
            }
            if isForced { try store.setForced(number) }
            try AuditStore(transaction).record(
                .generationActivated, String(number), ["force": "\(isForced)"], by: author)
            var isLive = false
            if generation.state == .retired, isWhole {
                isLive = try store.setLive(number) != nil
            }
            try enqueueBuilding(of: number, transaction)
            try transaction.notify(Channel.generations, String(number))
            return isLive
        }
    }

    /// Ends a building. What was live before stays as it was; anything else is dropped.
    func cancel(_ number: Int, by author: AuditAuthor) async throws {
        try await pool.transaction { transaction in
            let store = GenerationStore(transaction)
            guard let found = try store.find(number) else { throw Problem.generationNotFound }
            guard found.state == .building else { throw Problem.notBuilding }
            // Jobs before generations, as workers lock them.
            try queue.cancel(subject: Generation.subject(number), in: transaction)
            try queue.cancel(
                ReindexDocumentJob.kind, where: ["generation": number], in: transaction)
            // Swapped in meanwhile: then nothing of this happens.
            guard try store.lockStates()[number] == .building else { throw Problem.notBuilding }
            try store.setCancelled(number)
            if try store.life(of: number)?.isDropping == true {
                try enqueueDropping(of: number, transaction)
            }
            try AuditStore(transaction).record(
                .generationCancelled, String(number), by: author)
        }
    }

    /// Gives a retired one up for good.
    func drop(_ number: Int, by author: AuditAuthor) async throws {
        try await pool.transaction { transaction in
            let store = GenerationStore(transaction)
            guard let generation = try store.find(number) else {
                throw Problem.generationNotFound
            }
            guard generation.state == .retired || generation.state == .dropped else {
                throw Problem.generationInUse
            }
            guard try store.setDropping(number) else { return }
            try enqueueDropping(of: number, transaction)
            try AuditStore(transaction).record(.generationDropped, String(number), by: author)
        }
    }

    /// Whether the engine still holds what the generation shows.
    private func isWhole(_ number: Int) async throws -> Bool {
        guard let generation = try await pool.read({ try GenerationStore($0).find(number) }),
            generation.state == .retired
        else { return true }
        let counts = try await pool.read(deadline: Self.countingDeadline) {
            try GenerationContentStore($0).counts(of: generation)
        }
        do {
            guard let found = try await qdrant.collectionDescription(generation.collection),
                found.vectorSize == generation.index.dimensionCount
            else { return false }
            return try await qdrant.count(in: generation.collection) >= counts.vectorCount
        } catch {
            throw Problem.vectorsAway
        }
    }

    /// Its job also tidies up after a swap.
    private func enqueueBuilding(of number: Int, _ transaction: Transaction) throws {
        let subject = Generation.subject(number)
        let open = try JobOverviewStore(transaction).findOpen(
            BuildGenerationJob.kind, subject: subject)
        guard open == nil else { return try queue.hasten(subject: subject, in: transaction) }
        try queue.enqueue(
            BuildGenerationJob.kind, BuildGenerationJob(number: number), subject: subject,
            priority: .bulk, in: transaction)
    }

    private func enqueueDropping(of number: Int, _ transaction: Transaction) throws {
        try queue.enqueue(
            DropGenerationJob.kind, DropGenerationJob(number: number),
            subject: Generation.subject(number), priority: .bulk, in: transaction)
    }
}

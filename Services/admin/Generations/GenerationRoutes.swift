import Database
import Domain
import HTTPService
import Hummingbird
import Postgres

/// `GET /admin/generations`: newest first.
struct GenerationRoutes: Sendable {
    let pool: PostgresPool

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("admin/generations", use: list)
    }

    private struct Item: Encodable {
        let generation: Generation
        /// Documents that it still lacks; nil for those that are not being built.
        let missingCount: Int?

        private enum Key: String, CodingKey {
            case generation, state, collection, fingerprint
            case embeddingModel = "embedding_model"
            case questionModel = "question_model"
            case vectorSize = "vector_size"
            case missing
        }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(generation.number, forKey: .generation)
            try body.encode(generation.state, forKey: .state)
            try body.encode(generation.collection, forKey: .collection)
            try body.encode(generation.index.fingerprint, forKey: .fingerprint)
            try body.encode(generation.index.passageModel, forKey: .embeddingModel)
            try body.encode(generation.index.questionModel, forKey: .questionModel)
            try body.encode(generation.index.dimensionCount, forKey: .vectorSize)
            try body.encodeIfPresent(missingCount, forKey: .missing)
        }
    }

    private func list(_ request: Request, context: ServiceContext) async throws -> Response {
        let items = try await pool.read { session in
            let store = GenerationStore(session)
            let live = try store.live()?.number
            var items: [Item] = []
            for generation in try store.list() {
                let missing =
                    generation.state == .building
                    ? try store.missingCount(in: generation.number, shownBy: live) : nil
                items.append(Item(generation: generation, missingCount: missing))
            }
            return items
        }
        return try JSONResponse.make(.ok, ["items": Array(items.reversed())])
    }
}

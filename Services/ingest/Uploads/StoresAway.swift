import HTTPService
import Hummingbird
import Logging
import ObjectStorage
import Postgres

/// Answers 503, not 500, while Postgres or the object store is away: it is worth trying again.
struct StoresAway: RouterMiddleware {
    typealias Context = ServiceContext

    private static let filesAway = Problem.unavailable(
        "Files cannot be kept or read now. Please try again.")

    func handle(
        _ request: Request, context: ServiceContext,
        next: @concurrent (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as PostgresError where IndexingFailure.isAway(error) {
            context.logger.warning("postgres is away", metadata: ["reason": "\(error)"])
            throw Problem.unavailable("The service cannot answer now. Please try again.")
        } catch ObjectStorageError.unavailable(let reason) {
            context.logger.error("object storage is away", metadata: ["reason": "\(reason)"])
            throw Self.filesAway
        } catch ObjectStorageError.sealedWithAnotherKey {
            context.logger.error("a file is sealed with a key that UPLOADS_ENCRYPTION_KEY lacks")
            throw Self.filesAway
        }
    }
}

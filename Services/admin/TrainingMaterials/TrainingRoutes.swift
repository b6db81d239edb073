import Domain
import Git
import HTTPService
import HTTPTypes
import Hummingbird
import Logging

/// `POST /admin/training-materials/sync`.
struct TrainingRoutes: Sendable {
    let materials: TrainingMaterials

    private static let bodyByteCountMax = 16 << 10

    func add(to router: some RouterMethods<ServiceContext>) {
        router.post("admin/training-materials/sync", use: sync)
    }

    private struct Body: Decodable, Sendable {
        let targetRef: String?

        private enum CodingKeys: String, CodingKey {
            case targetRef = "target_ref"
        }
    }

    private func sync(_ request: Request, context: ServiceContext) async throws -> Response {
        let body = try await decodeOptionalJSON(
            Body.self, from: request, byteCountMax: Self.bodyByteCountMax)
        let isVerbose = try request.flag("verbose")
        let report = try await materials.syncOrSayWhy(
            to: body?.targetRef, by: context.author, isVerbose: isVerbose)
        return try JSONResponse.make(report.isDone ? .ok : .accepted, report)
    }
}

extension TrainingMaterials {
    /// What somebody asked for: a failure is a problem in words for them.
    func syncOrSayWhy(
        to target: String?, by author: AuditAuthor, isVerbose: Bool, waitMax: Duration = waitMax
    ) async throws -> TrainingReport {
        do {
            return try await sync(to: target, by: author, isVerbose: isVerbose, waitMax: waitMax)
        } catch let failure as TrainingFailure {
            throw Problem(failure)
        } catch let failure as GitFailure {
            logger.warning(
                "training materials cannot be read", metadata: ["reason": "\(failure)"])
            throw Problem(failure)
        }
    }
}

extension Problem {
    fileprivate init(_ failure: TrainingFailure) {
        switch failure {
        case .noRepository:
            self = .conflict(
                "no_repository", "No repository of training materials is configured.")
        case .isRunning:
            self = .conflict("sync_running", "A sync of the training materials is running.")
        case .invalidTarget:
            self = .invalid("/target_ref", "This is no name of a branch, tag or commit.")
        }
    }

    fileprivate init(_ failure: GitFailure) {
        switch failure {
        case .unreachable:
            self = .badGateway(
                "repository_unreachable", "The repository of the training materials cannot be read."
            )
        case .privateAddress:
            self = .conflict(
                "repository_not_allowed",
                "The repository is at a private address, and the settings do not allow that.")
        case .unknownTarget:
            self = .invalid("/target_ref", "The repository has no such branch, tag or commit.")
        case .localChanges:
            self = .conflict(
                "local_changes", "Files of the clone were changed by hand: nothing was touched.")
        case .notARepository:
            self = .conflict(
                "not_a_repository", "There is something else where the clone should be.")
        case .tooLarge(let what):
            self = .badGateway("repository_too_large", "The repository is too large: \(what).")
        case .broken:
            self = .badGateway(
                "repository_unreadable", "The repository of the training materials is unreadable.")
        }
    }
}

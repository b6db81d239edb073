import HTTPService
import HTTPTypes

extension Problem {
    static func conflict(_ code: String, _ detail: String) -> Problem {
        Problem(.conflict, code: code, detail: detail)
    }

    static func badGateway(_ code: String, _ detail: String) -> Problem {
        Problem(.badGateway, code: code, detail: detail)
    }

    static let generationNotFound = Problem(
        .notFound, code: "generation_not_found", detail: "There is no such index generation.")
    static let generationDropped = Problem.conflict(
        "generation_dropped", "This index generation was given up; its collection is gone.")
    static let anotherIsBuilt = Problem.conflict(
        "generation_building", "Another index generation is being built: cancel it, or wait.")
    static let notBuilding = Problem.conflict(
        "generation_not_building", "This index generation is not being built.")
    static let generationInUse = Problem.conflict(
        "generation_in_use", "Only an index generation that is retired can be removed.")
    static let vectorsAway = Problem.unavailable("The vector engine does not answer.")
    static let noIndex = Problem.unavailable("There is no live index yet.")
}

import HTTPService
import HTTPTypes

extension Problem {
    static func conflict(_ code: String, _ detail: String) -> Problem {
        Problem(.conflict, code: code, detail: detail)
    }

    static func badGateway(_ code: String, _ detail: String) -> Problem {
        Problem(.badGateway, code: code, detail: detail)
    }

    static let vectorsAway = Problem.unavailable("The vector engine does not answer.")
    static let noIndex = Problem.unavailable("There is no live index yet.")
}

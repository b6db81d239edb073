import HTTPService
import HTTPTypes
import Hummingbird

/// Questions to begin with, by language.
struct SuggestionRoutes: Sendable {
    struct Suggestion: Encodable, Sendable {
        let text: String
        let icon: String
    }

    private struct Body: Encodable {
        let suggestions: [Suggestion]
        let toolLabels: [String: String]

        private enum CodingKeys: String, CodingKey {
            case suggestions
            case toolLabels = "tool_labels"
        }
    }

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("suggestions") { request, _ in
            let asked = try request.parameter("lang")
            let language = Self.language(
                asked: asked, accepted: request.headers[.acceptLanguage])
            return try JSONResponse.make(
                .ok, Body(suggestions: Self.lists[language] ?? [], toolLabels: [:]))
        }
    }

    /// The one asked for, else the first acceptable one that we speak, else English.
    static func language(asked: String?, accepted: String?) -> String {
        let offered = [asked ?? ""] + (accepted ?? "").split(separator: ",").map(String.init)
        for offer in offered {
            let name = offer.drop { $0 == " " }.prefix { $0.isLetter }.lowercased()
            if lists[name] != nil { return name }
        }
        return "en"
    }

    private static let lists: [String: [Suggestion]] = [
        "en": [
            .init(text: "How do I join the energy community?", icon: "users"),
            .init(text: "How is the incentive for shared energy worked out?", icon: "euro"),
            .init(text: "When is it best to use electricity?", icon: "clock"),
            .init(text: "What happens to my data?", icon: "shield"),
        ],
        "it": [
            .init(text: "Come aderisco alla comunità energetica?", icon: "users"),
            .init(text: "Come si calcola l'incentivo per l'energia condivisa?", icon: "euro"),
            .init(text: "Quando conviene usare l'elettricità?", icon: "clock"),
            .init(text: "Che cosa succede ai miei dati?", icon: "shield"),
        ],
        "es": [
            .init(text: "¿Cómo me uno a la comunidad energética?", icon: "users"),
            .init(text: "¿Cómo se calcula el incentivo por la energía compartida?", icon: "euro"),
            .init(text: "¿Cuándo conviene usar la electricidad?", icon: "clock"),
            .init(text: "¿Qué pasa con mis datos?", icon: "shield"),
        ],
    ]
}

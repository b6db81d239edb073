import ModelEndpoint
import TextAnalysis

/// A question that cannot be understood without what was said before it. Pure.
enum FollowUp {
    /// Longer ones say what they are about.
    private static let wordCountMax = 14
    /// Shorter ones do not.
    private static let wordCountMin = 4

    /// They begin a question that goes on with another.
    private static let connectives: Set<String> = [
        "and", "but", "or", "so", "then", "also", "instead", "otherwise",
        "e", "ed", "ma", "o", "oppure", "invece", "anche", "quindi", "allora", "poi",
        "y", "pero", "entonces", "tambien", "et", "mais", "ou", "alors", "aussi", "und",
        "aber", "oder", "dann", "auch",
    ]

    /// They stand for something that was named before.
    private static let references: Set<String> = [
        "it", "its", "they", "them", "their", "this", "that", "these", "those", "he", "she", "him",
        "her", "his", "there", "same", "above", "latter", "former",
        "questo", "questa", "questi", "queste", "quello", "quella", "quelli", "quelle", "esso",
        "essa", "essi", "esse", "loro", "suo", "sua", "suoi", "sue", "ne", "stesso", "stessa",
        "sopra", "eso", "esto", "ello", "ellos", "ellas", "su", "sus", "mismo", "misma", "cela",
        "ca", "celui", "celle", "ceux", "leur", "leurs", "dessus", "dies", "diese", "dieser",
        "dieses", "davon", "dafur", "dazu", "deren", "dessen",
    ]

    /// Rather yes than no: a question that could stand alone is still itself when it is rewritten.
    static func leans(_ question: String) -> Bool {
        let words = tokens(of: question)
        guard let first = words.first, words.count <= wordCountMax else { return false }
        return words.count < wordCountMin || connectives.contains(first)
            || words.contains(where: references.contains)
    }

    /// The question before and this one, which together say what is meant.
    static func joined(_ question: String, to history: [ChatMessage]) -> String {
        guard let previous = history.last(where: { $0.role == .user }) else { return question }
        return "\(previous.content.suffix(previousLengthMax)) \(question)"
    }

    private static let previousLengthMax = 500
}

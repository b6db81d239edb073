import Domain
import TextAnalysis

/// What a message is, before anything is searched. Pure.
enum Question {
    /// What an empty message with files means.
    static let aboutAttachments = "Analyse the attached files and say what they contain."

    private static let greetings: Set<String> = [
        "hello", "hi", "hey", "good", "morning", "afternoon", "evening", "thanks", "thank", "you",
        "bye", "goodbye", "there", "ciao", "salve", "buongiorno", "buonasera", "buon", "giorno",
        "grazie", "mille", "arrivederci", "hola", "buenos", "buenas", "dias", "tardes", "gracias",
        "adios", "bonjour", "salut", "merci", "hallo", "guten", "tag", "danke", "ok", "okay",
        "perfetto", "perfect", "great", "a", "tutti", "everyone", "all", "very", "much", "molte",
        "tante", "so",
    ]
    /// Longer ones ask something, whatever their words.
    private static let greetingWordCountMax = 4

    /// Nothing is searched for a greeting, for thanks, for signs without words.
    static func needsNoSearch(_ message: String) -> Bool {
        let words = tokens(of: message)
        if words.isEmpty { return true }
        return words.count <= greetingWordCountMax && words.allSatisfy(greetings.contains)
    }

    static let titleLengthMax = 60

    /// The beginning of the question on one line, cut between words.
    static func title(of message: String, filenames: [String]) -> String {
        let words = message.split(whereSeparator: \.isWhitespace)
        if words.isEmpty { return cut(filenames.joined(separator: ", ")) }
        return cut(words.joined(separator: " "))
    }

    private static func cut(_ text: String) -> String {
        guard text.count > titleLengthMax else { return text.isEmpty ? "…" : text }
        let beginning = text.prefix(titleLengthMax - 1)
        let atWord = beginning.lastIndex(of: " ").map { beginning[..<$0] } ?? beginning
        return (atWord.count > titleLengthMax / 2 ? atWord : beginning) + "…"
    }
}

package import Domain

extension Analyser {
    /// The language most of a text is in, or `.other` when the evidence is thin or divided.
    ///
    /// Evidence: words that one language uses everywhere (counting less the more languages share
    /// them), and letters and endings that are common in one and rare in the others. Numbers and
    /// names say nothing, so a table of figures stays undecided.
    package static func language(of text: String) -> Language {
        let sample = String(text.prefix(sampleLength))
        var evidence: [Language: Double] = [:]
        var wordCount = 0.0
        for token in tokens(of: sample) where token.contains(where: \.isLetter) {
            wordCount += 1
            for (language, weight) in weights(of: token) {
                evidence[language, default: 0] += weight
            }
        }
        for scalar in sample.unicodeScalars {
            if let language = letters[scalar] { evidence[language, default: 0] += 0.5 }
        }
        let ranked = evidence.sorted { $0.value > $1.value }
        guard let best = ranked.first, wordCount > 0 else { return .other }
        let second = ranked.dropFirst().first?.value ?? 0
        // Two shared words, or one of its own, and clearly more than the next.
        let isEnough = best.value >= 0.8 && best.value / wordCount >= 0.08
        return isEnough && best.value >= second * 1.25 ? best.key : .other
    }

    /// A page is in one language long before this.
    private static let sampleLength = 4000

    private static func weights(of token: String) -> [(Language, Double)] {
        if let count = StopWords.languageCounts[token] {
            return StopWords.all.compactMap { language, words in
                words.contains(token) ? (language, 1 / Double(count)) : nil
            }
        }
        guard token.count >= 4, let last = token.last else { return [] }
        // Nearly every Italian word ends in a vowel, and most Spanish ones.
        var weights: [(Language, Double)] =
            "aeio".contains(last) ? [(.italian, 0.15), (.spanish, 0.08)] : [(.italian, -0.1)]
        guard token.count >= 5 else { return weights }
        for (language, endings) in endings where endings.contains(where: token.hasSuffix) {
            weights.append((language, 0.4))
        }
        return weights
    }

    /// Folded, and found in one of the five languages almost alone.
    private static let endings: [Language: [String]] = [
        .italian: [
            "zione", "zioni", "mente", "aggio", "etto", "ella", "anza", "iche", "enza", "ita",
        ],
        .english: ["ing", "tion", "ness", "ship", "ity", "ally", "ould", "ight", "ings", "ers"],
        .spanish: ["cion", "ciones", "dad", "idades", "miento", "ados", "adas", "ando", "iendo"],
        .french: ["eaux", "tions", "ement", "eurs", "aire", "eux", "ique", "iere", "ees", "oire"],
        .german: ["ung", "ungen", "keit", "heit", "lich", "isch", "chen", "schaft", "tet", "zeug"],
    ]

    /// Before folding: letters hardly written in the other four.
    private static let letters: [Unicode.Scalar: Language] = [
        "ñ": .spanish, "¿": .spanish, "¡": .spanish, "ß": .german, "ä": .german, "ö": .german,
        "ç": .french, "ê": .french, "û": .french, "œ": .french, "ò": .italian, "ì": .italian,
    ]
}

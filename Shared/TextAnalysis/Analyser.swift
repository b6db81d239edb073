package import Domain

/// Texts and questions as weighted terms: the lexical half of the index.
///
/// Terms carry no language: names, codes, numbers and loan words are the same everywhere, and the
/// language of a short chunk is a guess. A question is analysed in every language and the union
/// asked; of all its forms a chunk holds the one of its own language.
package enum Analyser {
    /// Changes whenever the same text would make another vector. Part of the index's description.
    package static let version = "2/murmur3-32/k1=\(k1)/b=\(b)/length=\(averageLength)"

    /// BM25's saturation: how much a term counts when it comes again. The customary values.
    private static let k1: Float = 1.2
    /// BM25's length normalisation: chunks are of similar length, so the middle of the road does.
    private static let b: Float = 0.75
    /// Terms of a usual chunk (200 words without the stop words). Fixed, not measured: weights are
    /// written into vectors, which must not change when the collection grows.
    private static let averageLength: Float = 110

    /// A question has more words than this only if it is a document.
    private static let questionTermCountMax = 256

    /// Terms of a text as it is indexed, again and again where they come again.
    package static func terms(of text: String, language: Language) -> [String] {
        let stopWords = StopWords.of(language)
        let words = tokens(of: text).filter { !stopWords.contains($0) }
        guard let stemmer = Stemmer(language) else { return words }
        return words.map { isPlainWord($0) ? stemmer.stem($0) : $0 }
    }

    /// BM25's weights but for the rarity of a term, which the engine multiplies in.
    package static func sparse(document text: String, language: Language) -> SparseVector {
        let terms = terms(of: text, language: language)
        var counts: [UInt32: Float] = [:]
        for term in terms { counts[termID(term), default: 0] += 1 }
        let length = k1 * (1 - b + b * Float(terms.count) / averageLength)
        return SparseVector(counts.mapValues { $0 * (k1 + 1) / ($0 + length) })
    }

    /// Every term of the question, in every language, with weight 1.
    package static func sparse(question: String) -> SparseVector {
        let ids = terms(ofQuestion: question).map { (termID($0), Float(1)) }
        return SparseVector(Dictionary(ids, uniquingKeysWith: { first, _ in first }))
    }

    /// The union over all languages, each term once.
    package static func terms(ofQuestion question: String) -> Set<String> {
        Set(questionWords(question).flatMap(\.self))
    }

    /// Each word of the question that says something, as the forms it may have in a chunk.
    package static func questionWords(_ question: String) -> [Set<String>] {
        let language = language(of: question)
        var stopWords = StopWords.of(language)
        // Undecided: better to lose a word than to ask for articles.
        if language == .other { stopWords = Set(StopWords.languageCounts.keys) }
        var seen: Set<String> = []
        var words = tokens(of: question).filter {
            !stopWords.contains($0) && seen.insert($0).inserted
        }
        words = Array(words.prefix(questionTermCountMax))
        var forms = words.map { Set([$0]) }
        for language in Language.allCases {
            guard let stemmer = Stemmer(language) else { continue }
            for (index, word) in words.enumerated() where isPlainWord(word) {
                forms[index].insert(stemmer.stem(word))
            }
        }
        return forms
    }

    /// How much of what a question asks about stands in a text: 0…1, by its words. A number or a
    /// code says more than a word: nobody writes 0,29 by chance.
    package static func overlap(
        of question: [Set<String>], with text: String, language: Language
    ) -> Double {
        if question.isEmpty { return 0 }
        let terms = Set(terms(of: text, language: language))
        let found = question.filter { !$0.isDisjoint(with: terms) }
        return weight(of: found) / weight(of: question)
    }

    private static func weight(of words: [Set<String>]) -> Double {
        words.reduce(0) { $0 + ($1.allSatisfy(isPlainWord) ? 1 : 2) }
    }

    /// Numbers and codes are not stemmed.
    private static func isPlainWord(_ token: String) -> Bool {
        !token.utf8.contains { (48...57).contains($0) || $0 == 45 || $0 == 46 || $0 == 47 }
    }
}

import Domain
import Testing

@testable import TextAnalysis

@Suite("Texts as terms")
struct AnalyserTests {
    @Test(
        "fold case, accents, ligatures and apostrophes",
        arguments: [
            ("Città", "citta"), ("PERCHÉ", "perche"), ("perche\u{301}", "perche"),
            ("Straße", "strasse"), ("Œuvre", "oeuvre"), ("año", "ano"), ("l’energia", "l'energia"),
            ("ŁÓDŹ", "lodz"), ("İstanbul", "istanbul"), ("Ενέργεια", "ενέργεια"), ("日本", "日本"),
        ])
    func folds(text: String, expected: String) {
        #expect(fold(text) == expected)
    }

    @Test(
        "are words, numbers and codes",
        arguments: [
            ("L'energia condivisa!", ["energia", "condivisa"]),
            ("0,137 e 0.137", ["0.137", "0.137"]),
            ("1.180 kWh, 1,200 euros", ["1180", "kwh", "1200", "euros"]),
            ("96.000,50 or 96,000.50", ["96000.50", "or", "96000.50"]),
            ("10,57 €/MWh", ["10.57", "mwh"]),
            ("CEI 0-21", ["cei", "0-21", "0", "21"]),
            ("il 10.12.2024", ["il", "10.12.2024", "10", "12", "2024"]),
            ("AC001E00417.", ["ac001e00417"]),
            ("D.M. 7/12", ["7/12", "7", "12"]),
            ("e-mail, members' votes", ["mail", "members", "votes"]),
            ("23:00–7:00", ["23", "00", "7", "00"]),
            ("800 123 417", ["800", "123", "417"]),
            ("a, b; c... ---", []),
        ] as [(String, [String])])
    func tokenized(text: String, expected: [String]) {
        #expect(tokens(of: text) == expected)
    }

    @Test("leave out what no one can have written")
    func longRuns() {
        #expect(tokens(of: String(repeating: "x", count: 65)) == [])
        #expect(tokens(of: String(repeating: "1", count: 5000)).allSatisfy { $0.count <= 64 })
    }

    @Test("in Italian have the same stems with accents and without")
    func withoutAccents() {
        let with = Analyser.terms(of: "La comunità può aderire", language: .italian)
        let without = Analyser.terms(of: "la comunita puo aderire", language: .italian)
        #expect(with == without)
        #expect(with.count == 2)
    }

    @Test(
        "of one word's forms are one term",
        arguments: [
            (Language.italian, "incentivi", "incentivo"), (.english, "batteries", "battery"),
            (.spanish, "energías", "energía"), (.french, "énergies", "énergie"),
            (.german, "Häuser", "Haus"),
        ])
    func stems(language: Language, one: String, other: String) {
        let first = Analyser.terms(of: one, language: language)
        #expect(first == Analyser.terms(of: other, language: language))
        #expect(first.count == 1)
    }

    @Test("are found by a question in their language, whatever that is guessed to be")
    func questionForms() {
        for (language, text) in [
            (Language.italian, "le batterie domestiche"), (.english, "batteries at home"),
        ] {
            let chunk = Set(Analyser.terms(of: text, language: language))
            #expect(!Analyser.terms(ofQuestion: text).isDisjoint(with: chunk))
        }
    }

    @Test("hash as MurmurHash3 does")
    func hashes() {
        #expect(termID("") == 0)
        #expect(termID("test") == 0xBA6B_D213)
        #expect(termID("Hello, world!") == 0xC036_3E43)
        #expect(termID("The quick brown fox jumps over the lazy dog") == 0x2E4F_F723)
    }

    @Test("weigh more when they come again, but less each time")
    func saturation() throws {
        func weight(_ count: Int) throws -> Float {
            let filler = (0..<(50 - count)).map { "parola\($0)x" }.joined(separator: " ")
            let text = String(repeating: "quorum ", count: count) + filler
            let vector = Analyser.sparse(document: text, language: .italian)
            let index = try #require(vector.indices.firstIndex(of: termID("quorum")))
            return vector.values[index]
        }
        let weights = try [1, 2, 3].map(weight)
        #expect(weights[0] < weights[1] && weights[1] < weights[2])
        #expect(weights[2] - weights[1] < weights[1] - weights[0])
    }

    @Test("weigh the same in a text of the fixed length as they count")
    func averageLength() throws {
        let text = (0..<110).map { "w\($0)w" }.joined(separator: " ")
        let vector = Analyser.sparse(document: text, language: .other)
        #expect(vector.indices.count == 110)
        #expect(vector.values.allSatisfy { abs($0 - 1) < 0.0001 })
    }

    @Test("are sorted and unique in a vector, and none for a text without words")
    func vectors() {
        let vector = Analyser.sparse(document: "b a c a b", language: .other)
        #expect(vector.indices == vector.indices.sorted())
        #expect(Analyser.sparse(document: "… !", language: .other).isEmpty)
        #expect(Analyser.sparse(question: "e per i?").isEmpty)
    }

    @Test("overlap more by a number than by a word")
    func numbers() {
        let words = Analyser.questionWords("quanto costa 0,29")
        let number = Analyser.overlap(of: words, with: "0.29 euros per kWh", language: .english)
        let word = Analyser.overlap(of: words, with: "La quota costa", language: .italian)
        #expect(number > 0.6 && word < 0.4)
    }

    @Test("overlap with a question by the share of its words")
    func overlap() {
        let words = Analyser.questionWords("Quanto costa ricaricare un'auto elettrica?")
        let half = Analyser.overlap(
            of: words, with: "Le auto elettriche dei membri", language: .italian)
        #expect(half >= 0.4 && half < 0.8)
        #expect(Analyser.overlap(of: words, with: "La privacy", language: .italian) == 0)
    }
}

@Suite("The language of a text")
struct LanguageTests {
    @Test(
        "is told",
        arguments: [
            (Language.italian, "La tariffa incentivante premia l'energia condivisa."),
            (.english, "The community battery stands beside the sports hall."),
            (.spanish, "La comunidad energética reparte los beneficios entre sus miembros."),
            (.french, "La communauté partage l'énergie produite entre ses membres."),
            (.german, "Die Gemeinschaft teilt die Energie unter den Mitgliedern auf."),
            (.italian, "Quanto vale la parte fissa?"), (.english, "How can I join?"),
            (.italian, "Chi è la presidente?"), (.english, "Who is the president?"),
            (.spanish, "¿Cuánto cuesta la cuota de entrada?"),
            (.french, "Combien coûte l'adhésion ?"), (.german, "Was kostet der Beitritt?"),
        ])
    func told(language: Language, text: String) {
        #expect(Analyser.language(of: text) == language)
    }

    @Test(
        "is left open when little speaks for any",
        arguments: ["", "12.5 | 0,137 | 44", "AC001E00417", "Marta Olivieri", "日本語の文章です"])
    func open(text: String) {
        #expect(Analyser.language(of: text) == .other)
    }
}

@Suite("The sentences of a text")
struct SentenceTests {
    private func sentences(_ text: String) -> [String] {
        Analyser.sentences(in: text).map { String(text[$0]) }
    }

    @Test("end with their marks")
    func marks() {
        #expect(sentences("È vero. Davvero? Sì! Bene…") == ["È vero.", "Davvero?", "Sì!", "Bene…"])
        #expect(
            sentences("“Who?” He left (early). Then") == ["“Who?”", "He left (early).", "Then"])
    }

    @Test(
        "go on after what only looks like an end",
        arguments: [
            "Secondo l'art. 5 del D.Lgs. 199/2021 si applica.",
            "Il sig. Rossi e la dott.ssa Bianchi votano.", "Costa 0,137 o 10.57 euro al MWh.",
            "Write to Dr. Smith, e.g. by post.", "The lawyer is J. R. Ferrante.",
            "Si veda pag. 12 e fig. 3 ecc. per i dettagli.", "It is approx. 5 kW, i.e. enough.",
            "Visit www.example.org/a.b for more.", "Aperto dal n. 3 al n. 5.",
        ])
    func goOn(text: String) {
        #expect(sentences(text) == [text])
    }

    @Test("end at empty lines, list items and headings, not at line ends")
    func blocks() {
        let text = """
            # Titolo
            Una frase
            su due righe. Altra

            - primo punto
            - secondo punto
            1. Uno
            2) Due
            """
        #expect(
            sentences(text) == [
                "# Titolo", "Una frase\nsu due righe.", "Altra", "- primo punto", "- secondo punto",
                "1. Uno", "2) Due",
            ])
    }

    @Test("are none in nothing")
    func nothing() {
        #expect(sentences("").isEmpty)
        #expect(sentences(" \n\n ").isEmpty)
    }
}

import Retrieval
import Testing

@Suite("What is about a question")
struct RelevanceTests {
    private typealias Evidence = Relevance.Evidence
    private let e5 = Relevance(model: "e5-query")

    @Test("is near in meaning")
    func meaning() {
        let near = Evidence(cosine: 0.85, overlap: 0)
        let far = Evidence(cosine: 0.75, overlap: 0)
        #expect(e5.kept([near, far], isMeaningKnown: true) == [true, false])
        #expect(e5.kept([far], isMeaningKnown: true) == [false])
    }

    @Test("is near in meaning across languages with a lower cosine")
    func otherLanguage() {
        let own = Evidence(cosine: 0.81, overlap: 0)
        let foreign = Evidence(cosine: 0.81, overlap: 0, isForeign: true)
        #expect(e5.kept([own], isMeaningKnown: true) == [false])
        #expect(e5.kept([own, foreign], isMeaningKnown: true) == [true, true])
    }

    @Test("or shares most of its words")
    func words() {
        let named = Evidence(cosine: 0.78, overlap: 1)
        let half = Evidence(cosine: 0.79, overlap: 0.5)
        #expect(e5.kept([named, half], isMeaningKnown: true) == [true, true])
        #expect(e5.kept([half], isMeaningKnown: true) == [false])
    }

    @Test("is told by words alone when meaning is unknown")
    func withoutMeaning() {
        let evidence = [0.5, 0.3, 0.2, 0].map { Evidence(cosine: nil, overlap: $0) }
        #expect(e5.kept(evidence, isMeaningKnown: false) == [true, true, false, false])
    }

    @Test("is anything for a model whose cosines nobody has measured")
    func unknownModel() {
        let other = Relevance(model: "some-model")
        #expect(other.kept([Evidence(cosine: 0.1, overlap: 0)], isMeaningKnown: true) == [true])
        #expect(other.kept([], isMeaningKnown: true) == [])
    }
}

import Testing

@testable import Chat

@Suite("Cited text")
struct CitedTextTests {
    @Test("a marker after a sentence's end stands for that sentence")
    func afterTheEnd() {
        #expect(Self.citations(in: "One thing. It costs 5 €. [1] More.") == ["1: It costs 5 €."])
    }

    @Test("a marker before the full stop stands for the sentence it is in")
    func beforeTheEnd() {
        #expect(Self.citations(in: "One thing. It costs 5 € [1]. More.") == ["1: It costs 5 € ."])
    }

    @Test("a marker in the middle waits for the sentence to be whole")
    func inTheMiddle() {
        #expect(
            Self.citations(in: "According to [2] the tariff is 0.137 euro. More.")
                == ["2: According to  the tariff is 0.137 euro."])
    }

    @Test("two markers stand for the same sentence")
    func two() {
        #expect(Self.citations(in: "It is so [1][2].") == ["1: It is so .", "2: It is so ."])
    }

    @Test("a line's end ends a sentence, and so does the end of the text")
    func lines() {
        #expect(Self.citations(in: "- five [1]\n- six [2]") == ["1: - five", "2: - six"])
    }

    @Test("says the same wherever the text is cut")
    func everySplit() {
        let text = "First [1]. Second is 0.5 [2] or so! Third. [1]\nEnd [2]"
        let whole = Self.citations(in: text)
        let characters = Array(text)
        for cut in 0...characters.count {
            let parts = [String(characters[..<cut]), String(characters[cut...])]
            #expect(Self.citations(in: parts) == whole, "cut at \(cut)")
        }
    }

    static func citations(in text: String) -> [String] { citations(in: [text]) }

    static func citations(in parts: [String]) -> [String] {
        var markers = CitationMarkers(sourceCount: 2, keepsMarkers: true)
        var cited = CitedText()
        var outputs: [CitedText.Output] = []
        for part in parts {
            for piece in markers.feed(part) { outputs += cited.feed(piece) }
        }
        for piece in markers.finish() { outputs += cited.feed(piece) }
        outputs += cited.finish()
        return outputs.compactMap { output in
            if case .citation(let source, let sentence) = output {
                "\(source): \(sentence)"
            } else {
                nil
            }
        }
    }
}

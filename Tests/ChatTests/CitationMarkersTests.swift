import Testing

@testable import Chat

@Suite("Citation markers")
struct CitationMarkersTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let expected: String
        let markers: [Int]
        var testDescription: String { text }
    }

    /// Two sources; what stays, with the markers taken out of it, and the markers.
    static let cases = [
        Case(text: "It costs 5 € [1].", expected: "It costs 5 € .", markers: [1]),
        Case(text: "Both [1][2] say so", expected: "Both  say so", markers: [1, 2]),
        Case(text: "Both [1, 2] say so", expected: "Both  say so", markers: [1, 2]),
        Case(text: "Nowhere [7].", expected: "Nowhere.", markers: []),
        Case(text: "Half [2, 9] known", expected: "Half  known", markers: [2]),
        Case(text: "Zero [0] of it", expected: "Zero of it", markers: []),
        Case(text: "a [note] stays", expected: "a [note] stays", markers: []),
        Case(text: "- [ ] task", expected: "- [ ] task", markers: []),
        Case(text: "in [2024] it", expected: "in [2024] it", markers: []),
        Case(text: "open [1", expected: "open [1", markers: []),
        Case(text: "nested [[1]]", expected: "nested []", markers: [1]),
        Case(text: "spaces   ", expected: "spaces   ", markers: []),
    ]

    @Test("are found wherever the text is cut in two", arguments: cases)
    func everySplit(_ example: Case) {
        let characters = Array(example.text)
        for cut in 0...characters.count {
            let parts = [String(characters[..<cut]), String(characters[cut...])]
            let (text, markers) = Self.read(parts, sourceCount: 2, keepsMarkers: true)
            #expect(text == example.expected, "cut at \(cut)")
            #expect(markers == example.markers, "cut at \(cut)")
        }
    }

    @Test("are found when the text comes character by character", arguments: cases)
    func everyCharacter(_ example: Case) {
        let (text, markers) = Self.read(
            example.text.map { String($0) }, sourceCount: 2, keepsMarkers: true)
        #expect(text == example.expected)
        #expect(markers == example.markers)
    }

    @Test("go altogether when none are wanted")
    func removed() {
        #expect(
            CitationMarkers.removed(from: "It costs 5 € [1]. Also [2, 3].") == "It costs 5 €. Also."
        )
        #expect(CitationMarkers.removed(from: "a [note] stays") == "a [note] stays")
    }

    @Test("hold nothing back of text that holds no bracket")
    func immediate() {
        var markers = CitationMarkers(sourceCount: 2, keepsMarkers: true)
        #expect(markers.feed("Hello") == [.text("Hello")])
        #expect(markers.feed(" world") == [.text(" world")])
        #expect(markers.finish().isEmpty)
    }

    @Test("hold back no more than a few characters")
    func bounded() {
        var markers = CitationMarkers(sourceCount: 2, keepsMarkers: true)
        let pieces = markers.feed("[" + String(repeating: "1, ", count: 30))
        #expect(!pieces.isEmpty)
    }

    static func read(
        _ parts: [String], sourceCount: Int, keepsMarkers: Bool
    ) -> (String, [Int]) {
        var markers = CitationMarkers(sourceCount: sourceCount, keepsMarkers: keepsMarkers)
        var pieces: [CitationMarkers.Piece] = []
        for part in parts { pieces += markers.feed(part) }
        pieces += markers.finish()
        var text = ""
        var numbers: [Int] = []
        for piece in pieces {
            switch piece {
            case .text(let part): text += part
            case .marker(let number): numbers.append(number)
            }
        }
        return (text, numbers)
    }
}

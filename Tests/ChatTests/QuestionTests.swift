import Testing

@testable import Chat

@Suite("Question")
struct QuestionTests {
    @Test(
        "needs no search when it only greets",
        arguments: ["Ciao!", "hello there", "Buongiorno a tutti", "thanks", "?!", "   ", "👋"])
    func greeting(_ message: String) { #expect(Question.needsNoSearch(message)) }

    @Test(
        "is searched when it asks something",
        arguments: ["tariffe", "Hello, what does joining cost?", "e per i condomini?"])
    func asking(_ message: String) { #expect(!Question.needsNoSearch(message)) }

    @Test("gives the conversation its title, cut between words")
    func title() {
        #expect(Question.title(of: "  How\nmuch? ", filenames: []) == "How much?")
        let long = String(repeating: "energia ", count: 20)
        let title = Question.title(of: long, filenames: [])
        #expect(title.count <= Question.titleLengthMax && title.hasSuffix("energia…"))
        #expect(Question.title(of: "", filenames: ["a.md", "b.md"]) == "a.md, b.md")
    }
}

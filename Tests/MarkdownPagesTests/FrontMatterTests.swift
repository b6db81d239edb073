import MarkdownPages
import Testing

@Suite("Front matter")
struct FrontMatterTests {
    @Test("says title, language, address and tags")
    func read() {
        let matter = FrontMatter(
            of: """
                ---
                title: >
                  A folded
                  title
                language: it-IT
                url: https://docs.example.org/a
                tags:
                  - Solar power
                  - "tariff: new"
                extra: {a: [1, 2], b: x y}
                ---
                Text
                """)
        #expect(matter.title == "A folded title")
        #expect(matter.language == "it")
        #expect(matter.url == "https://docs.example.org/a")
        #expect(matter.tags == ["Solar power", "tariff: new"])
        #expect(Array(matter.body) == ["Text"])
    }

    @Test(
        "takes tags in any of their spellings",
        arguments: ["tags: [a, b c]", "tags: a, b c", "Tags:\n- a\n- b c", "tags: ['a', \"b c\"]"])
    func tags(_ line: String) {
        #expect(FrontMatter(of: "---\n\(line)\n---\n").tags == ["a", "b c"])
    }

    @Test(
        "is read the same whatever signs a title has",
        arguments: [
            "R&D", "2 * 3", "Costs & benefits", "Fish &chips", "A *bold* claim", "a << b",
            "<<Quoted>>", "Why? *", "R-&D",
        ])
    func signs(_ title: String) {
        #expect(FrontMatter(of: "---\ntitle: \(title)\nlang: it\n---\n").title == title)
    }

    @Test("is YAML also where a title has an ampersand or stars")
    func stillYAML() {
        let matter = FrontMatter(
            of: "---\ntitle: \"*Costs* & benefits\"\ndescription: R &D, 2 *3\ntags:\n- a\n---\n")
        #expect(matter.title == "*Costs* & benefits")
        #expect(matter.tags == ["a"])
    }

    @Test("with anchors and aliases is read line by line, and done at once")
    func aliases() {
        // Each names the one before twice: 2^60 values, which are compared with one another.
        var lines = ["a0: &a0 [x, x]"]
        for number in 1...60 {
            lines.append("a\(number): &a\(number) [*a\(number - 1), *a\(number - 1)]")
        }
        let values = lines.joined(separator: "\n")
        for key in ["*a60 : x", "? *a60\n: x", "x: {*a60 : y}", "x:\n  - {? *a60 : y}"] {
            let matter = FrontMatter(of: "---\ntitle: Read\n\(values)\n\(key)\n---\nText")
            // Some of these keys are no line of front matter: then all of it is text.
            #expect(matter.title == "Read" || matter.body.count > 60)
        }
    }

    @Test("gives short titles and tags, whatever they are made of")
    func lengths() {
        let accents = "a" + String(repeating: "\u{301}", count: 500_000)
        let matter = FrontMatter(of: "---\ntitle: \(accents)\ntags: \(accents), b\n---\n")
        #expect(matter.title?.unicodeScalars.count == 500)
        #expect(matter.tags.map(\.unicodeScalars.count) == [500, 1])
    }

    @Test("that is no YAML is read line by line")
    func loose() {
        let matter = FrontMatter(of: "---\ntitle: One: two\nlang: EN\n\tx: y\n---\nText")
        #expect(matter.title == "One: two")
        #expect(matter.language == "en")
    }

    @Test(
        "is none where there is prose between two rules, or no end",
        arguments: [
            "---\nJust prose here\n---\ntext", "---\ntitle: x\ntext", "title: x", "", "---",
        ])
    func none(_ markdown: String) {
        let matter = FrontMatter(of: markdown)
        #expect(matter.title == nil)
        #expect(
            Array(matter.body)
                == markdown.split(separator: "\n", omittingEmptySubsequences: false))
    }

    @Test("gives no language that is none", arguments: ["klingon", "1t", "", "i", "[it]x"])
    func language(_ text: String) {
        #expect(FrontMatter(of: "---\nlanguage: \(text)\n---\n").language == nil)
    }

    @Test(
        "cannot exhaust the stack",
        arguments: [
            String(repeating: "[", count: 200_000), String(repeating: "{a: ", count: 50_000),
            String(repeating: "- ", count: 100_000), String(repeating: "? ", count: 100_000),
            (0..<150).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n"),
            "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: &d [*c,*c]\ne: [*d,*d]",
        ])
    func hostile(_ text: String) {
        let matter = FrontMatter(of: "---\nx: \(text)\ntitle: Still here\n---\nText")
        #expect(Array(matter.body) == ["Text"])
    }
}

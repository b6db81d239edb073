import MarkdownPages
import Testing

@Suite("Titles of pages")
struct PageTitleTests {
    @Test(
        "come from the front matter, the first heading, or the file",
        arguments: [
            ("---\ntitle: \"The tariff\"\n---\n# Other\n", "The tariff"),
            ("---\nlang: it\n# no heading\n---\n\n## Il contatore ##\n", "Il contatore"),
            ("```\n# code\n```\nUnder\n=====\n", "Under"),
            ("no heading\n#hashtag\n", "page"), ("\r\n# Windows\r\n", "Windows"), ("", "page"),
            ("````\n```\n# code\n````\n# After\n", "After"),
        ])
    func titles(_ markdown: String, _ title: String) {
        #expect(PageTitle.of(FrontMatter(of: markdown), path: "a/page.md") == title)
    }

    @Test("are short, and of whole letters unless one letter is longer than that")
    func lengths() {
        func title(_ heading: String) -> String {
            PageTitle.of(FrontMatter(of: "# \(heading)\n"), path: "a.md")
        }
        #expect(title(String(repeating: "a", count: 300)).count == 200)
        #expect(title(String(repeating: "a", count: 200)).count == 200)
        let accents = title("a" + String(repeating: "\u{301}", count: 500_000))
        #expect(accents.unicodeScalars.count == 200)
        let letters = title("x" + String(repeating: "e\u{301}", count: 150))
        #expect(letters.unicodeScalars.count == 199)
        #expect(letters.count == 100)
    }
}

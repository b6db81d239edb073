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
}

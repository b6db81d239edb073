import MarkdownPages
import Testing

@Suite("Links of pages")
struct PageLinksTests {
    private static let links = PageLinks { path in
        path.hasPrefix("none") ? nil : "https://x/\(path)"
    }

    private func resolved(_ markdown: String) -> String {
        Self.links.resolved(markdown, path: "it/guida/costi.md")
    }

    @Test(
        "that are relative become whole",
        arguments: [
            ("see [a](b.md)", "see [a](https://x/it/guida/b.md)"),
            ("[a](../b.md#c) [d](./e/)", "[a](https://x/it/b.md#c) [d](https://x/it/guida/e/)"),
            ("[a](/b.md \"t\")", "[a](https://x/b.md \"t\")"),
            ("![i](i.png)", "![i](https://x/it/guida/i.png)"),
            ("[![i](i.png)](b.md)", "[![i](https://x/it/guida/i.png)](https://x/it/guida/b.md)"),
            ("[a](<b c.md>)", "[a](<https://x/it/guida/b c.md>)"),
            ("[a](b%20c.md)", "[a](https://x/it/guida/b c.md)"),
            ("[a](b_(c).md)", "[a](https://x/it/guida/b_(c).md)"),
            ("[r]: ../b.md 'title'", "[r]: https://x/it/b.md 'title'"),
            ("[r]: <b.md>", "[r]: https://x/it/guida/b.md"),
            (
                "`x` [a](b.md)\r\n[c](d.md)",
                "`x` [a](https://x/it/guida/b.md)\n[c](https://x/it/guida/d.md)"
            ),
        ])
    func relative(_ markdown: String, _ expected: String) {
        #expect(resolved(markdown) == expected)
    }

    @Test(
        "that are whole, lead nowhere, or are code stay as they are",
        arguments: [
            "[a](https://y/z.md)", "[a](mailto:x@y)", "[a](//y/z)", "[a](#anchor)", "[a]()",
            "[a](../../../out.md)", "[a](../../none.md)", "`[a](b.md)`", "``[a](b.md) ` ``",
            "```\n[a](b.md)\n```", "[a](b.md", "[a] (b.md)", "a](", "[r]:", "[", "]", "`]`(",
        ])
    func untouched(_ markdown: String) {
        #expect(resolved(markdown) == markdown)
    }

    @Test(
        "are found in one pass, however the page is made",
        arguments: ["](", "](a", "](<", "](((", "`", "[`", "]", "[a](b", "[x]: ", "![", "](a\t"])
    func hostile(_ part: String) {
        let page = String(repeating: part, count: 1_000_000 / part.utf8.count)
        #expect(resolved(page).utf8.count >= page.utf8.count)
        // Runs of every length, none of which has an end.
        let runs = (1...1_200).reversed().map { String(repeating: "`", count: $0) }
        let spans = runs.joined(separator: "a")
        #expect(resolved(spans) == spans)
    }
}

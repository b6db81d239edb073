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
}

import MarkdownPages
import Synchronization
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
            "[^1]: Directive (EU) 2018/2001", "[^1]: b.md", "[Nota]: questa è una nota",
            "[r]: b.md and more",
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

    @Test(
        "make a page longer by no more than 256 KiB, and a target is looked up once",
        arguments: ["](a)", "[x]: a\n", "](a#b)"])
    func growth(_ part: String) {
        let long = "https://x/" + String(repeating: "a", count: 1_990)
        let lookUps = LookUps(long)
        let page = String(repeating: part, count: 1 << 18)
        let resolved = lookUps.links.resolved(page, path: "it/page.md")
        let growth = resolved.utf8.count - page.utf8.count
        #expect(growth <= 256 << 10)
        #expect(growth > 250 << 10)
        #expect(resolved.hasPrefix(part.replacing("a", with: long)))
        #expect(lookUps.count == 1)
    }

    @Test("are not looked up by the hundred thousand")
    func targetCount() {
        let lookUps = LookUps(nil)
        let page = (0..<50_000).map { "](\($0))" }.joined()
        #expect(lookUps.links.resolved(page, path: "it/page.md") == page)
        #expect(lookUps.count == 10_000)
    }
}

/// Says where every link leads, and counts how often it was asked.
private final class LookUps: Sendable {
    private let address: String?
    private let asked = Mutex(0)

    init(_ address: String?) { self.address = address }

    var count: Int { asked.withLock { $0 } }

    var links: PageLinks {
        PageLinks { _ in
            self.asked.withLock { $0 += 1 }
            return self.address
        }
    }
}

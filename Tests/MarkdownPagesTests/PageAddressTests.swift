import Testing

@testable import MarkdownPages

@Suite("Addresses of pages")
struct PageAddressTests {
    private func address(_ markdown: String, site: String? = nil) -> String? {
        PageAddress(site: site).find(FrontMatter(of: markdown), path: "docs/it/tariffa oraria.md")
    }

    @Test(
        "come from a line that names the source",
        arguments: [
            ("# A\n\nFonte: https://x.example/a", "https://x.example/a"),
            ("**Source:** <https://x.example/a>.", "https://x.example/a"),
            ("> *Fonte*: [the page](https://x.example/a), 2024", "https://x.example/a"),
            ("- source : https://x.example/a?b=c#d;", "https://x.example/a?b=c#d"),
            ("FONTE: see http://x.example/a, page 3", "http://x.example/a"),
        ])
    func sources(_ markdown: String, _ url: String) {
        #expect(address(markdown) == url)
    }

    @Test(
        "are no address of a browser's, no password, no code's, no other word's",
        arguments: [
            "Source: javascript:alert(1)", "Source: https://a:b@x.example/", "Fonte: a book",
            "Sources of energy: https://x.example/a", "```\nSource: https://x.example/a\n```",
            "---\nurl: data:text/html,x\n---\n", "---\nurl: /relative\n---\n", "Source: https://",
        ])
    func none(_ markdown: String) {
        #expect(address(markdown) == nil)
    }

    @Test("come from the front matter first")
    func matter() {
        let page = "---\nurl: https://x.example/a\n---\nFonte: https://x.example/b\n"
        #expect(address(page, site: "https://docs.example") == "https://x.example/a")
        #expect(
            address("---\nurl: /it/a/\n---\n", site: "https://docs.example/guide")
                == "https://docs.example/guide/it/a/")
    }

    @Test("are where a site has the page")
    func site() {
        #expect(
            address("# A\n", site: "https://docs.example/guide")
                == "https://docs.example/guide/it/tariffa%20oraria/")
        #expect(PageAddress.sitePath("index.md") == "")
        #expect(PageAddress.sitePath("docs/index.md") == "")
        #expect(PageAddress.sitePath("en/README.md") == "en/")
        #expect(PageAddress.sitePath("en/costs.v2.markdown") == "en/costs.v2/")
    }
}

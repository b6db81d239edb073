import Foundation
import Testing

@testable import Ingest

@Suite("Web pages")
struct WebPageTests {
    @Test(
        "are decoded as they say, or as they look",
        arguments: [
            ("<meta charset=utf-8>", String.Encoding.utf8),
            ("<meta charset=\"windows-1252\">", .windowsCP1252),
            (
                "<meta http-equiv='Content-Type' content='text/html; charset=ISO-8859-15'>",
                .isoLatin1
            ),
            ("<?xml version=\"1.0\" encoding=\"windows-1250\"?>", .windowsCP1250),
            ("<meta charset=utf-16>", .utf8), ("", .utf8), ("", .utf16),
        ])
    func encodings(_ declaration: String, _ encoding: String.Encoding) throws {
        let page = declaration + "<p>Perché no: köln, é così</p>"
        let text =
            encoding == .windowsCP1250
            ? page.replacing("ì", with: "i").replacing("ò", with: "o") : page
        let bytes = try #require(text.data(using: encoding))
        let expected =
            encoding == .windowsCP1250 ? "Perché no: köln, é cosi" : "Perché no: köln, é così"
        #expect(try read(Array(bytes)) == expected + "\n")
    }

    @Test("take the sender's word for their encoding before their own")
    func sender() throws {
        let bytes = Array("<meta charset=utf-8><p>citt".utf8) + [0xE0]
        let page = try WebPageReader.read(bytes, charset: "iso-8859-1", limits: ReadingLimits())
        #expect(page.blocks.map(\.text) == ["città"])
    }

    @Test("are broken if they are no text")
    func binary() {
        #expect(throws: ExtractionFailure.corrupt) { try read([0x89, 0x50, 0x00, 0x00, 0x01]) }
    }

    @Test(
        "keep what is read and leave out what is not",
        arguments: [
            ("a<b>b</b> c<br>d", "ab c\nd"), ("one<p>two", "one\n\ntwo"),
            ("<p>a<span hidden>x</span>b<i aria-hidden=true>*</i></p>", "ab"),
            ("<div style='display : none'>x</div>y", "y"),
            ("<nav>x</nav><p>y</p><footer>z</footer>", "y"),
            ("<article><p>a</p><footer>author</footer></article>", "a\n\nauthor"),
            ("<p>out</p><main></main>", "out"), ("<p>out</p><div role=main>in</div>", "in"),
            ("<h2>a<br>b <em>c</em></h2>d", "## a b c\n\nd"),
            ("<ul><li>a<p>b</p><ul><li>c</ul>d<li>e</ul>", "- a\n  b\n  - c\n  d\n- e"),
            ("<ul><li><h3>T</h3>x</ul>", "### T\n\n- x"),
            ("<pre>\n  a\n\n b  \n</pre>", "```\n  a\n\n b\n```"),
            ("<pre>a<br>b</pre>", "```\na\nb\n```"),
            ("<p>so&shy;le&nbsp;&nbsp;mio&#8203;</p>", "sole mio"),
            ("<table><tr><td>only</td></tr></table>", "only"),
            ("<p>10 <del>12</del> &euro; &lt;b&gt;</p>", "10 € <b>"), ("</p></div>x", "x"),
            ("<ruby>漢<rp>(</rp><rt>kan</rt></ruby>", "漢"), ("<template><p>x</template>y", "y"),
            ("<select><option>x</select>y<button>z</button>", "y"),
        ])
    func content(_ page: String, _ expected: String) throws {
        #expect(try read(Array(page.utf8)) == expected + "\n")
    }

    @Test("have tables in cells beside one another, not inside")
    func layout() throws {
        let page = """
            <table><tr><td><ul><li>a<li>b</ul></td><td>side</td></tr>
            <tr><td><h1>Title</h1><p>text<ul><li>c<li>d</ul></td><td><table>
            <tr><th>k<th>v<tr><td>1<td>2</table>end</td></tr></table>
            """
        #expect(
            try read(Array(page.utf8)) == """
                {}
                a b | side

                # Title

                text

                - c
                - d

                {k | v}
                k | v
                1 | 2

                end

                """)
    }

    private func read(_ bytes: [UInt8]) throws -> String {
        let text = try MadeDocument.read(bytes, as: .html)
        return String(text.dropFirst("title: none\n\n".count))
    }
}

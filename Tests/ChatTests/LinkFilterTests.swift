import Domain
import TestSupport
import Testing

@testable import Chat

@Suite("Links in an answer")
struct LinkFilterTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let expected: String
        var testDescription: String { text }

        init(_ text: String, _ expected: String) {
            self.text = text
            self.expected = expected
        }

        /// What passes as it is.
        init(_ text: String) { self.init(text, text) }
    }

    static let known = KnownLinks(
        in: """
            See https://ok.example/a?b=(c), [the map](map.md "Map") and (http://ok.example). Write to
            info@ok.example. [x](javascript:alert(1)) [y](<img src=//evil.example/p>)
            """)

    static let cases = [
        // What is known, and what is no link.
        Case("Look at https://ok.example/a?b=(c)."), Case("(http://ok.example)"),
        Case("\"http://ok.example\", `http://ok.example`"), Case("http://ok.example>"),
        Case("[here](https://ok.example/a?b=(c))"), Case("[a](map.md)"), Case("![a](map.md)"),
        Case("[a](<map.md> 'x')", "[a](<map.md>)"), Case("It costs 5 € [1]."),
        Case("[1][2] and [1, 2]"), Case("- [ ] to do"), Case("a < b and b > a"), Case("1<2"),
        Case("<b>bold</b> x<sup>2</sup><br /><br/>"), Case("Very well! Really?"),
        Case("http is a protocol, https too"), Case("how, when, whwww"), Case("[open"),
        Case("[note](see page 3)", "[note] (see page 3)"), Case("[0,1](ends)", "[0,1] (ends)"),
        Case("f(x)[i](j k)", "f(x)[i] (j k)"), Case("end!"), Case("città ["), Case("[a][b]"),
        Case("[a]: words that go on\n", "[a] : words that go on\n"),
        Case("line\n\n[x](map.md)\n"), Case("Write to info@ok.example."),
        Case("a @ b, @c!", "a @ b, @…!"),
        Case("se a<b e c>d", "se a< b e c>d"), Case("Map<String, Int>", "Map< String, Int>"),
        // Links.
        Case("[here](https://evil.example)", "here"),
        Case("a [b *c*](//evil.example/x \"t\") d", "a b *c* d"),
        Case("[a]( <https://evil.example/ x> )", "a"), Case("[a](javascript:alert(1))", "a"),
        Case("[a](\nhttps://evil.example\n)", "a"), Case("[a](MAP.md)", "a"),
        Case("[a](https://ok.example/a?b=(c)&d=secret)", "a"), Case("[a](map.md?x=1)", "a"),
        Case("[a [b](https://evil.example) c](https://evil.example)", "a b c"),
        Case("\\[a](https://evil.example)", "\\a"), Case("[](https://evil.example)", ""),
        Case("[a](https://evil.example/((())))", "a"), Case("[a](\\\\evil.example)", "a"),
        Case("[a](&#47;&#47;evil)", "a"),
        Case("[[[[[[https://evil.example/](a.b)](a.b)](a.b)](a.b)](a.b)](a.b)", "…"),
        // Images, alone and in links.
        Case("![a](https://evil.example/p.png)", "a"), Case("![](https://evil.example/p?q=1)", ""),
        Case("[![a](https://evil.example/p.png)](map.md)", "[a](map.md)"),
        Case("[![a](map.md)](https://evil.example)", "![a](map.md)"),
        Case("!![a](https://evil.example)!", "!a!"),
        // Definitions.
        Case("![a][e]\n\n[e]: https://evil.example/p\n", "![a][e]\n\n[e] : …\n"),
        Case("> [e]: //evil.example/p\n", "> [e] : //evil.example/p\n"),
        Case("- a\n\n\t[e]: //evil.example\n", "- a\n\n\t[e] : //evil.example\n"),
        Case("![x][e]\r\r[e]: //evil.example\r", "![x][e]\r\r[e] : //evil.example\r"),
        Case("[a\nb.c]: //evil.example/p\n", "[a\nb.c] : //evil.example/p\n"),
        Case("[[e]: //evil.example/p](x.y)", "[e] : //evil.example/p"),
        Case("[id]: map.md \"t\" ![x](//evil.example/p)\n", "[id] : map.md \"t\" x\n"),
        // Bare addresses.
        Case("See https://evil.example/x?y=z, please", "See …, please"),
        Case("(HTTPS://EVIL.example)", "(…)"), Case("www.evil.example!", "…!"),
        Case("xhttp://evil.example", "x…"), Case("\"http://evil.example\"", "\"…\""),
        Case("https://ok.example.evil.example", "…"), Case("https://", "…"),
        Case("**https://evil.example**", "**…**"), Case("`https://evil.example`", "`…`"),
        Case("ftp://evil.example/?q=s", "…"), Case("https\\://evil.example", "…"),
        Case("https&#58;//evil.example", "…"), Case("secret@evil.example", "secret@…"),
        Case("http://ok.example\"secret", "…"), Case("http://ok.example`secret", "…"),
        Case("http://ok.example\u{1}secret", "…"), Case("http://ok.example), secret"),
        Case("[a](http://ok.example))secret", "[a](http://ok.example)) secret"),
        Case("[a](http://ok.example)\"secret", "[a](http://ok.example)\" secret"),
        Case("«http://ok.example»", "«http://ok.example »"),
        // What would come together where something was taken out.
        Case("[a](<x y>//evil.example)", "[a] (< x y>//evil.example)"),
        Case("ht[t](//evil.example)p://evil.example", "ht t p://evil.example"),
        Case("https:[](//evil.example)//evil.example", "https: //evil.example"),
        Case("<[](//evil.example)img src=//evil.example>", "< img src=//evil.example>"),
        Case("[a][](//evil.example)(//evil.example)", "[a] (//evil.example)"),
        // HTML.
        Case("<img src=x onerror=alert(1)>", "< img src=x onerror=alert(1)>"),
        Case("<img src=//evil.example/p>", "< img src=//evil.example/p>"),
        Case("<script>alert(1)</script>", "< script>alert(1)< /script>"),
        Case("<!-- x -->a", "< !-- x -->a"), Case("<https://evil.example>", "< …>"),
        Case("<me@evil.example>", "< me@…>"), Case("<b onclick=x>a</b>", "< b onclick=x>a</b>"),
        Case("<svg/onload=alert(1)>", "< svg/onload=alert(1)>"),
        Case("<a\nhref=//evil.example>", "< a\nhref=//evil.example>"),
        Case("[<a](map.md)", "[< a](map.md)"), Case("x<a", "x< a"), Case("x<"),
        Case("<img src=\"https://evil.example", "< img src=\"…"),
    ]

    @Test("pass if the sources have them, wherever the text is cut in two", arguments: cases)
    func everySplit(_ example: Case) {
        let characters = Array(example.text.unicodeScalars).map { String($0) }
        for cut in 0...characters.count {
            let parts = [characters[..<cut].joined(), characters[cut...].joined()]
            #expect(Self.filtered(parts) == example.expected, "cut at \(cut)")
        }
        #expect(Self.filtered(characters) == example.expected)
    }

    @Test("hold nothing back of text that holds none, and never more than 2 KiB")
    func immediate() {
        var filter = LinkFilter(known: Self.known)
        #expect(filter.feed("Per entrare servono ") == "Per entrare servono ")
        #expect(filter.feed("100 euro [1], in totale.") == "100 euro [1], in totale.")
        for opening in ["[", "![", "[x](", "https://", "x](", "[x](<", "[x](y \"", "x@"] {
            var filter = LinkFilter(known: Self.known)
            let text = opening + String(repeating: "a", count: 5_000)
            var passed = filter.feed(text)
            passed += filter.feed(" ")
            let heldCount = text.utf8.count - passed.utf8.count
            #expect(heldCount <= 2_100 || !passed.contains("aaa"), "\(opening)")
        }
    }

    @Test("that are longer than what is held lead nowhere")
    func long() {
        let padding = String(repeating: "a", count: 3_000)
        for text in [
            "[\(padding)](https://evil.example)", "![\(padding)](//evil.example)",
            "[a](https://evil.example/\(padding))", "<img title=\(padding) src=//evil.example>",
            "https://evil.example/\(padding)", "[a](x \"\(padding)\" )(//evil.example)",
        ] {
            let whole = Self.filtered([text])
            let pieces = Self.filtered(text.map { String($0) })
            for shown in [whole, pieces] {
                #expect(!shown.contains("](") && !shown.contains("<i") && !shown.contains("s://"))
            }
        }
    }

    @Test(
        "do not come together where a source's number stood",
        arguments: [
            ("ht[99]tps://evil.example/?q=s", "…"), ("w[9]ww.evil.example/", "…"),
            ("<[9]img src=//evil.example/p>", "< img src=//evil.example/p>"),
            ("[1](//evil.example)", "[1] (//evil.example)"),
            ("[a [1] b](https://evil.example)", "[a [1] b]"),
            ("![a [1]](https://evil.example)", "![a [1]]"),
            ("[see [1]](map.md)", "[see [1]]"),
            ("It costs 5 € [1]. Yes", "It costs 5 € [1]. Yes"),
            ("h[1]ttp://evil.example", "h[1]ttp://evil.example"),
        ])
    func markers(_ text: String, _ expected: String) throws {
        let source = NumberedSource(
            source: "a", title: "a", chunk: Chunk.example("It costs 5 €."),
            documentID: Document.ID(), kind: .upload, path: nil, url: nil, tags: [], score: 1)
        for size in [1, 3, 100] {
            var answer = AnswerText(sources: [source], keepsMarkers: true)
            var rest = text[...]
            var outputs: [AnswerText.Output] = []
            while !rest.isEmpty {
                outputs += answer.feed(String(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            outputs += answer.finish()
            let shown = outputs.map { if case .text(let text) = $0 { text } else { "" } }.joined()
            #expect(shown == expected, "\(size)")
        }
    }

    @Test("come out the same however they are cut, and never with an unknown address")
    func everyCut() async throws {
        let examples = Self.cases.map { Array($0.text.utf8) }
        let tokens = [
            "[", "]", "](", "![", "(", ")", "<", ">", "http://", "https://evil.example", "www.",
            "]: ", "@evil.example", "ftp://", "\n", "\n\n", "\"", "'", "\\", "map.md", "<a href=",
            "-->", " ",
        ]
        try await Fuzzing("links", runCount: 3_000).each(of: examples, tokens: tokens) { input in
            // What is held at most has room for all of it, whatever it decodes to.
            let text = String(decoding: input.bytes.prefix(650), as: UTF8.self)
            let whole = Self.filtered([text])
            let pieces = Array(text.unicodeScalars).cut(using: &input.generator).map {
                String(String.UnicodeScalarView($0))
            }
            #expect(Self.filtered(pieces) == whole, "\(input.comment)")
            #expect(Self.unknown(in: whole) == [], "\(input.comment): \(whole)")
        }
    }

    /// Addresses that a browser might follow.
    private static func unknown(in text: String) -> [String] {
        let bytes = Array(text.utf8)
        let syntax = LinkSyntax(bytes)
        var found: [String] = []
        for position in bytes.indices {
            if case .found(let address, _) = syntax.url(at: position, isEnd: true),
                !known.contains(bytes[address])
            {
                found.append(String(decoding: bytes[address], as: UTF8.self))
            }
            let isDestination = position > 0 && bytes[position - 1] == UInt8(ascii: "(")
            if bytes[position] == UInt8(ascii: "<"), !isDestination,
                case .found(let content, _) = syntax.plainTag(at: position), content.isEmpty
            {
                found.append(String(decoding: bytes[position...].prefix(20), as: UTF8.self))
            }
            if bytes[position...].starts(with: "]:".utf8) { found.append("]:") }
            if bytes[position...].starts(with: "](".utf8),
                case .found(let address, _) = syntax.destination(at: position + 1),
                !known.contains(bytes[address])
            {
                found.append(String(decoding: bytes[address], as: UTF8.self))
            }
        }
        return found
    }

    private static func filtered(_ parts: [String]) -> String {
        var filter = LinkFilter(known: known)
        return parts.map { filter.feed($0) }.joined() + filter.finish()
    }
}

extension Chunk {
    fileprivate static func example(_ text: String) -> Chunk {
        Chunk(
            id: Chunk.ID(), ordinal: 0, text: text, page: nil, span: 0..<text.unicodeScalars.count,
            headingPath: [], language: .english, boxes: [])
    }
}

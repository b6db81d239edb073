import Testing

@testable import Ingest

@Suite("Tables as text")
struct SeparatedValuesTests {
    @Test(
        "finds the separator, and keeps quoted cells whole",
        arguments: [
            (
                "Mese;kWh;Prezzo\nGennaio;120,5;0,137\n",
                "Mese | kWh | Prezzo\nGennaio | 120,5 | 0,137"
            ),
            ("a,b\n\"x, y\",\"say \"\"hi\"\"\"\n", "a | b\nx, y | say \"hi\""),
            ("a\tb\n1\t2", "a | b\n1 | 2"),
            ("nome,nota\nAda,\"due\nrighe\"", "nome | nota\nAda | due righe"),
        ])
    func rows(_ text: String, _ expected: String) throws {
        let document = try read(text)
        #expect(document.blocks.map(\.text) == [expected])
        #expect(document.blocks.first?.kind == .table)
    }

    @Test("ends a table where a row is empty, and leaves empty columns out")
    func tables() throws {
        let text = "Letture;;\nPOD;;kWh\nIT1;;3\n;;\nCAP;Comune;\n00185;Roma;\n"
        let blocks = try read(text).blocks
        #expect(
            blocks.map(\.text) == [
                "Letture", "POD | kWh\nIT1 | 3", "CAP | Comune\n00185 | Roma",
            ])
        #expect(blocks.map(\.tableHeader) == [nil, "POD | kWh", "CAP | Comune"])
        #expect(try read("\n \n").blocks.isEmpty)
    }

    private func read(_ text: String) throws -> DocumentBlocks {
        try SeparatedValues.read(text, separator: nil, limits: ReadingLimits())
    }
}

@Suite("JSON as text")
struct JSONTextTests {
    @Test("puts values under the names that lead to them, in their order")
    func structure() throws {
        let text = #"""
            {"nome": "CER Aurora", "quota": 0.137, "sede": {"via": "Roma 1", "attiva": true},
             "tariffe": [{"fascia": "F1", "prezzo": 0.3}, {"fascia": "F2", "prezzo": 0.2}],
             "comuni": ["Melle", "Brossasco"], "vuoto": [], "nota": "città \u00e8 \ud83d\ude00"}
            """#
        let blocks = try read(text)
        #expect(
            blocks.map(\.text) == [
                "nome: CER Aurora\nquota: 0.137", "sede", "via: Roma 1\nattiva: true", "tariffe",
                "fascia: F1\nprezzo: 0.3", "fascia: F2\nprezzo: 0.2",
                "comuni: Melle, Brossasco\nnota: città è 😀",
            ])
        #expect(blocks.dropFirst().first?.kind == .heading(level: 1))
    }

    @Test("reads lone surrogates as nothing known, and numbers of any size as written")
    func oddities() throws {
        let text = #"{"a": "\ud83d\"x", "b": "\ud83d\u0041", "c": "\ud83d\n", "d": 1e400}"#
        #expect(
            try read(text).map(\.text) == ["a: \u{FFFD}\"x\nb: \u{FFFD}A\nc: \u{FFFD}\n\nd: 1e400"])
    }

    @Test("says a name before each of many values only as far as it is not too long")
    func repetition() throws {
        let name = String(repeating: "n", count: 100_000)
        let text = "{\"\(name)\":[" + String(repeating: "[1],", count: 2_000) + "[1]]}"
        #expect(try read(text).reduce(0) { $0 + $1.text.utf8.count } < 1_000_000)
    }

    @Test("reads a text after another, as in files of one to a line")
    func lines() throws {
        #expect(try read("{\"a\": 1}\n{\"a\": 2}\n").map(\.text) == ["a: 1", "a: 2"])
    }

    @Test(
        "refuses what is no JSON",
        arguments: [
            "", "{", "[1,]", "{\"a\" 1}", "{a: 1}", "[1 2]", "\"a", "nul", "{\"a\":1,}", "1 ]",
            "[\"\\x\"]", "[\"\\u+041\"]", "0x10", "inf", "-inf", "nan", "[\"\\u12\"]", "[1}",
            "{\"a\":1]", "--1",
        ])
    func broken(_ text: String) {
        #expect(throws: ExtractionFailure.corrupt) { try read(text) }
    }

    @Test("refuses what is nested deeper than the limit, however deep")
    func depth() throws {
        let deep = String(repeating: "[", count: 1_000_000)
        #expect(throws: ExtractionFailure.tooDeep) { try read(deep) }
        let allowed = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        #expect(try read(allowed).isEmpty)
    }

    private func read(_ text: String) throws -> [TextBlock] {
        try JSONText.read(text, limits: ReadingLimits()).blocks
    }
}

@Suite("Rich Text Format")
struct RichTextTests {
    @Test("reads code pages, Unicode with its fallback, and what stands for a sign")
    func characters() throws {
        let source = #"""
            {\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}}
            {\stylesheet{\s1 Heading 1;}}{\info{\title Statuto \'e8 qui}{\author N}}
            \f0 Citt\'e0 \u8364? 5\~kWh {\uc2\u55357??\u56832??} \{x\}\par
            {\f1 \'cf\'f0\'e8}\emdash fine\par}
            """#
        let document = try read(source)
        #expect(document.title == "Statuto è qui")
        #expect(document.blocks.map(\.text) == ["Città € 5 kWh 😀 {x}", "При—fine"])
    }

    @Test("keeps headings, list items and table rows, and leaves out what is not the text")
    func structure() throws {
        let source = #"""
            {\rtf1{\header Testata}{\*\generator X;}{\pict\bin5 }}}{{}\pard\outlinelevel0 Quote\par
            \pard Testo{\v nascosto} visibile.\par
            {\listtext\'95\tab}prima\par{\listtext\'95\tab}seconda\par
            \trowd\pard\intbl Mese\cell kWh\cell\row\trowd\intbl Marzo\cell 3\cell\row
            \pard Fine.\par}
            """#
        let blocks = try read(source).blocks
        #expect(
            blocks.map(\.text) == [
                "Quote", "Testo visibile.", "- prima\n- seconda", "Mese | kWh\nMarzo | 3", "Fine.",
            ])
        #expect(blocks.map(\.kind) == [.heading(level: 1), .paragraph, .list, .table, .paragraph])
        #expect(blocks.dropFirst(3).first?.tableHeader == "Mese | kWh")
    }

    @Test("refuses what is nested too deeply or is none, and bears what is cut anywhere")
    func hostile() throws {
        #expect(throws: ExtractionFailure.corrupt) { try read("hello") }
        #expect(throws: ExtractionFailure.tooDeep) {
            try read(#"{\rtf1"# + String(repeating: "{", count: 1_000_000))
        }
        let whole = Array(#"{\rtf1\ansi\u8364?\'e8{\b\bin99999999999 x}\trowd\cell}"#.utf8)
        for count in 5...whole.count {
            _ = try RichText.read(Array(whole[..<count]), limits: ReadingLimits())
        }
    }

    @Test("reads a row of many cells, and as many columns as a sheet has")
    func cells() throws {
        let edges = (1...100_000).map { "\\cellx\($0)" }.joined()
        let row =
            "{\\rtf1\\trowd\(edges)" + String(repeating: "a\\cell ", count: 100_000) + "\\row}"
        let text = try read(row).blocks.map(\.text).joined()
        #expect(text.count { $0 == "a" } == TableText.columnCountMax)
    }

    private func read(_ source: String) throws -> DocumentBlocks {
        try RichText.read(Array(source.utf8), limits: ReadingLimits())
    }
}

@Suite("Mail")
struct MailTests {
    @Test("decodes headers and the plain one of alternative texts, and names attachments")
    func message() throws {
        let source = """
            From: =?UTF-8?Q?Citt=C3=A0_Verde?= <info@example.org>\r
            To: "Rossi, Ada" <ada@example.org>\r
            Subject: =?utf-8?B?QXNzZW1ibGVhIA==?=\r
             =?iso-8859-1?Q?=E8_marted=EC?=\r
            Content-Type: multipart/mixed; boundary="a b"\r
            \r
            preamble\r
            --a b\r
            Content-Type: multipart/alternative; boundary=inner\r
            \r
            --inner\r
            Content-Type: text/plain; charset=iso-8859-1\r
            Content-Transfer-Encoding: quoted-printable\r
            \r
            La quota =E8 di 25=20\r
            euro all'anno, una riga=\r
             sola.\r
            --inner\r
            Content-Type: text/html\r
            \r
            <p>Altro</p>\r
            --inner--\r
            --a b\r
            Content-Type: application/pdf; name*0*=UTF-8''bilan; name*1*=cio%20%C3%A8.pdf\r
            Content-Disposition: attachment\r
            Content-Transfer-Encoding: base64\r
            \r
            JVBERi0=\r
            --a b--\r
            epilogue\r
            """
        let mail = try read(source)
        #expect(mail.title == "Assemblea è martedì")
        #expect(
            mail.blocks.map(\.text) == [
                "From: Città Verde <info@example.org>\nTo: \"Rossi, Ada\" <ada@example.org>\n"
                    + "Subject: Assemblea è martedì",
                "La quota è di 25\neuro all'anno, una riga sola.", "- bilancio è.pdf",
            ])
    }

    @Test("bears headers and parts without end, and takes the page where the plain text is blank")
    func endless() throws {
        let subject = "Subject: " + String(repeating: "=?a?q?x", count: 150_000)
        #expect(try read(subject + "\n\ntext").blocks.count == 2)
        let parts = String(repeating: "--b\na: b\n\n", count: 100_000)
        #expect(throws: ExtractionFailure.tooManyEntries) {
            try read("Content-Type: multipart/mixed; boundary=b\n\n\(parts)")
        }
        let blank = """
            Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n \n
            --b\nContent-Type: text/html\n\n<p>Here</p>\n--b--
            """
        #expect(try read(blank).blocks.map(\.text) == ["Here"])
    }

    @Test("reads a text that is there only as a page")
    func page() throws {
        let source =
            "Subject: a\nContent-Type: text/html; charset=iso-8859-1\n"
            + "Content-Transfer-Encoding: quoted-printable\n\n<p>La quota =E8 di 25 euro.</p>"
        #expect(try read(source).blocks.map(\.text) == ["Subject: a", "La quota è di 25 euro."])
    }

    @Test("reads a message inside a message, and stops where they are too deep")
    func nested() throws {
        let inner = "Subject: dentro\n\ntesto"
        let source = "Subject: fuori\nContent-Type: message/rfc822\n\n\(inner)"
        #expect(
            try read(source).blocks.map(\.text) == ["Subject: fuori", "Subject: dentro", "testo"])
        let endless = String(repeating: "Content-Type: message/rfc822\n\n", count: 100_000)
        #expect(throws: ExtractionFailure.tooDeep) { try read(endless) }
        let parts = String(repeating: "--b\n\nx\n", count: 20_000)
        #expect(throws: ExtractionFailure.tooManyEntries) {
            try read("Content-Type: multipart/mixed; boundary=b\n\n\(parts)")
        }
    }

    @Test("bears what is cut anywhere, and refuses what has no header")
    func broken() throws {
        let whole = Array(
            "Subject: =?utf-8?B?YQ==?=\nContent-Type: multipart/mixed; boundary=\"b\n\n--b\n\n=E"
                .utf8)
        for count in 10...whole.count {
            _ = try Mail.read(Array(whole[..<count]), limits: ReadingLimits())
        }
        #expect(throws: ExtractionFailure.corrupt) { try read("no header here") }
    }

    private func read(_ source: String) throws -> DocumentBlocks {
        try Mail.read(Array(source.utf8), limits: ReadingLimits())
    }
}

import Foundation
import Testing

@testable import Ingest

/// Good documents to be damaged, and what they are made of. A reader gets a line here, or a file
/// among the fixtures.
enum FuzzExamples {
    static func of(
        _ format: Extraction.Format
    ) throws -> (examples: [[UInt8]], tokens: [String]) {
        let found = texts[format]
        let examples = (found?.examples ?? []).map { Array($0.utf8) } + (try files(of: format))
        return (try #require(examples.isEmpty ? nil : examples), found?.tokens ?? [])
    }

    private static let texts: [Extraction.Format: (examples: [String], tokens: [String])] = [
        .markdown: (
            [markdown],
            [
                "#", "\n# ", "```\n", "~~~", "<!--", "-->", "---\n", "|", "|---|\n", "- ", "> ",
                "=\n",
            ]
        ),
        .plainText: (["Uno. Due tre!\n\nQuattro\r\ncinque\u{A0}sei.\n"], ["\n\n", ". ", "\u{85}"]),
        .csv: ([table], [";", ",", "\"", "\"\"", "\n", "|"]),
        .tsv: (["Mese\tkWh\nGennaio\t\"1\t2\"\n"], ["\t", "\"", "\n"]),
        .json: ([json], ["{", "}", "[", "]", ",", ":", "\"", "\\u", "\\ud83d", "1e999", "null"]),
        .mail: (
            [mail],
            [
                "\n\n", "--x", "--x--", "=?", "?=", "=?utf-8?q?", "charset=", "boundary=x", "=C3",
                "Content-Type: multipart/mixed; boundary=\"x\"\n", "base64", "filename*0*=",
            ]
        ),
        .rtf: (
            [richText],
            [
                "{", "}", "\\", "\\'", "\\u-1", "\\bin9", "\\*", "\\par ", "\\cell", "\\row",
                "\\uc16",
            ]
        ),
        .html: (
            [],
            ["<", ">", "</", "<!--", "-->", "&#", "&amp;", "<table>", "<td", "<li>", "<script>"]
        ),
    ]

    private static let table = #"""
        Mese;kWh;Prezzo
        Gennaio;120,5;0,137
        "con; segno";"e ""virgolette"" ";
        """#

    private static let json = #"""
        {"nome": "CER Aurora", "quota": -1.37e-1, "sede": {"via": "Roma 1", "attiva": true},
         "fasce": [{"fascia": "F1"}, [1, null]], "nota": "citt\u00e0 \ud83d\ude00 \n\"x\""}
        """#

    private static let mail = """
        From: =?UTF-8?Q?Citt=C3=A0?= <a@example.org>
        Subject: =?ISO-8859-1?B?Q2l0dOA=?=
         continua
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary="x"

        --x
        Content-Type: multipart/alternative; boundary=y

        --y
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        La quota =C3=A8 di 100 euro =
        all'anno.
        --y
        Content-Type: text/html

        <p>La quota</p>
        --y--
        --x
        Content-Type: text/csv; name="a.csv"
        Content-Disposition: attachment; filename*0*=UTF-8''a%C3; filename*1=.csv
        Content-Transfer-Encoding: base64

        YTtiCjE7Mg==
        --x--
        """

    private static let richText = #"""
        {\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset204 B;}}{\info{\title T}}
        \pard\outlinelevel0 Quote\par\pard Citt\'e0 \u8364? {\uc2\u55357??\u56832??}\par
        {\listtext\'95\tab}uno\par{\pict\bin3 }}}}\trowd\intbl a\cell b\cell\row\pard{\f1 \'cf}\par}
        """#

    private static let markdown = """
        ---
        title: Adesione
        ---

        # Quota

        La quota è di 100 euro. Si paga una volta.

        | anno | euro |
        |------|------|
        | 2024 | 100  |

        Sotto
        -----

        - uno
          - due

        1. tre

        ```swift
        let x = 1
        ```

        <!-- nota -->
        Fine. \(String(repeating: "Una frase lunga che continua senza fermarsi mai, ", count: 12))
        """

    /// Small files of the fixtures with the format's name as their extension.
    private static func files(of format: Extraction.Format) throws -> [[UInt8]] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/documents")
        let names = FileManager.default.enumerator(
            at: folder, includingPropertiesForKeys: [.fileSizeKey])
        return try (names?.allObjects ?? []).compactMap { $0 as? URL }
            .filter { $0.pathExtension == format.rawValue }
            .filter { try ($0.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0) < 65_536 }
            .sorted { $0.path < $1.path }.map { Array(try Data(contentsOf: $0)) }
    }
}

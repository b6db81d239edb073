import CharacterEncoding
import Foundation
import NIOCore
import Testing

@testable import Ingest

@Suite("File detection")
struct FileDetectionTests {
    @Test(
        "takes Unicode text in every split",
        arguments: ["a", "città", "👩🏽‍🔧 e\u{301} €", "# Title\n\ntext"])
    func text(_ text: String) {
        let bytes = Array(text.utf8)
        for size in 1...max(1, bytes.count) {
            #expect(type(bytes, split: size) == .plainText)
            #expect(type([0xEF, 0xBB, 0xBF] + bytes, split: size) == .plainText)
        }
        let units = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(type([0xFF, 0xFE] + units, split: 3) == .plainText)
        #expect(TextDecoding.decode([0xFF, 0xFE] + units) == text)
        #expect(TextDecoding.decode([0xEF, 0xBB, 0xBF] + bytes) == text)
    }

    @Test("takes and reads text in the encodings of single bytes, and UTF-16 without its mark")
    func olderEncodings() {
        let sentence = "La comunità energetica è già attiva: perché non aderire più tardi?"
        let latin = sentence.unicodeScalars.map { UInt8($0.value) }
        let wide = Array("Il contatore è qui".utf16).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        for size in [1, 7, 1024] {
            #expect(type(latin, split: size) == .plainText)
            #expect(type(wide, split: size) == .plainText)
        }
        #expect(TextDecoding.decode(latin) == sentence)
        #expect(TextDecoding.decode(wide) == "Il contatore è qui")
        // "Привет, это энергетическое сообщество" in KOI8-R.
        let russian = "Привет, это наше энергетическое сообщество и его новые участники"
        let koi8 = koi8(russian)
        #expect(TextDecoding.decode(koi8) == russian)
    }

    @Test(
        "reads short texts of other languages as their own encodings have them",
        arguments: [
            (
                "windows-1250", "Zażółć gęślą jaźń, a potem włącz światło i usiądź przy stole",
                "WmG/87PmIGfqnGy5IGphn/EsIGEgcG90ZW0gd7O5Y3ognHdpYXSzbyBpIHVzablk"
                    + "nyBwcnp5IHN0b2xl"
            ),
            (
                "iso-8859-2", "Příliš žluťoučký kůň úpěl ďábelské ódy u řeky",
                "UPjtbGm5IL5sdbtvdehr/SBr+fIg+nDsbCDv4WJlbHNr6SDzZHkgdSD4ZWt5"
            ),
            (
                "windows-1250", "Árvíztűrő tükörfúrógép, és az erdő fölött felhők úsznak",
                "wXJ27Xp0+3L1IHT8a/ZyZvpy82fpcCwg6XMgYXogZXJk9SBm9mz2dHQgZmVsaPVr"
                    + "IPpzem5haw=="
            ),
            (
                "iso-8859-7", "Η ενέργεια που μοιραζόμαστε είναι κοινή για όλους",
                "xyDl7d3x4+Xp4SDw7/Ug7O/p8eHm/Ozh8/TlIOXf7eHpIOrv6e3eIOPp4SD86+/1"
                    + "8g=="
            ),
            (
                "windows-1251", "Энергия, которой мы делимся, общая для всех",
                "3e3l8OPo/ywg6u7y7vDu6SDs+yDk5evo7PH/LCDu4fng/yDk6/8g4vHl9Q=="
            ),
            (
                "macintosh",
                "Perché la città è più verde? Così può risparmiare metà della bolletta",
                "UGVyY2iOIGxhIGNpdHSIII8gcGmdIHZlcmRlPyBDb3OTIHB1mCByaXNwYXJtaWFy"
                    + "ZSBtZXSIIGRlbGxhIGJvbGxldHRh"
            ),
            (
                "cp850", "Perché la città è più verde? Così può risparmiare metà della bolletta",
                "UGVyY2iCIGxhIGNpdHSFIIogcGmXIHZlcmRlPyBDb3ONIHB1lSByaXNwYXJtaWFy"
                    + "ZSBtZXSFIGRlbGxhIGJvbGxldHRh"
            ),
            (
                "iso-8859-15", "Die Stromgemeinschaft zählt größere und kleinere Häuser für 20 €",
                "RGllIFN0cm9tZ2VtZWluc2NoYWZ0IHrkaGx0IGdy9t9lcmUgdW5kIGtsZWluZXJl"
                    + "IEjkdXNlciBm/HIgMjAgpA=="
            ),
        ])
    func otherLanguages(_ encoding: String, _ text: String, _ base64: String) throws {
        let bytes = try #require(Data(base64Encoded: base64))
        #expect(TextDecoding.decode([UInt8](bytes)) == text, "\(encoding)")
    }

    @Test("reads UTF-8 with damage as what it nearly is")
    func damaged() {
        let text = Array("La città è più verde perché".utf8)
        #expect(TextDecoding.decode([0x6C, 0x92] + text) == "l\u{FFFD}La città è più verde perché")
        #expect(TextDecoding.decode(Array(text.dropLast())) == "La città è più verde perch\u{FFFD}")
    }

    @Test(
        "refuses what is nothing that can be read",
        arguments: [
            [0x00], Array("a\0b".utf8), [0xC0, 0x01], [0xFF, 0xFE, 0x00, 0x00],
            [0xFF, 0xFE, 0x41], [0xFF, 0xFE, 0x00, 0xD8], [0xFE, 0xFF, 0xDC, 0x00, 0x00, 0x41],
            [0x7F, 0x45, 0x4C, 0x46, 0x02, 0x01, 0x01, 0x00], Array("ID3 song".utf8),
            Array("%!PS-Adobe".utf8), [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0, 0],
            [0x50, 0x4B, 0x03, 0x04, 0x14, 0x00, 0x00, 0x00],
            [0x50, 0x4B, 0x05, 0x06] + [UInt8](repeating: 0, count: 18),
        ] as [[UInt8]])
    func unreadable(_ bytes: [UInt8]) {
        for size in 1...bytes.count { #expect(type(bytes, split: size) == nil) }
    }

    @Test("tells the kind of a text by its name's extension alone")
    func kinds() {
        let text = Array("a;b\n1;2".utf8)
        let expected: [String: FileType] = [
            "A.MD": .markdown, "a.md.txt": .plainText, "a.csv": .csv, "a.tsv": .tsv,
            "a.json": .json, "a.eml": .mail, "a.htm": .html, "a.pdf": .plainText, "a": .plainText,
        ]
        for (name, kind) in expected { #expect(type(text, split: 2, filename: name) == kind) }
        #expect(type(Array("\n<!DOCTYPE html><p>".utf8), split: 5, filename: "page") == .html)
        #expect(type(Array("<!DOCTYPE html><p>".utf8), split: 5, filename: "a.txt") == .plainText)
    }

    @Test("tells binary families by their bytes, whatever they are called")
    func families() {
        let marks: [(String, FileType)] = [
            ("%PDF-1.7\n", .pdf), ("{\\rtf1 a}", .rtf), ("GIF89a....", .gif),
            ("RIFF....WEBPVP8 ", .webp), ("II*\0....", .tiff),
        ]
        for (mark, expected) in marks {
            for size in [1, 3, 4096] {
                let bytes = Array(mark.utf8)
                #expect(type(bytes, split: size, filename: "a.txt") == expected)
            }
        }
        let compound: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0, 0]
        #expect(type(compound, split: 4, filename: "bilancio.xlsx") == .xlsx)
    }

    @Test("keeps a reader for every type it names")
    func readers() {
        for type in FileType.allCases {
            #expect(Extraction.Format(contentType: type.rawValue) != nil, "\(type)")
        }
    }

    @Test("makes one kind of line end, and keeps no controls")
    func decoding() {
        let text = "a\r\nb\rc\n\u{7}d\u{2028}e"
        #expect(TextDecoding.decode(Array(text.utf8)) == "a\nb\nc\n d\ne")
    }

    private func type(
        _ bytes: [UInt8], split: Int, filename: String = "a.txt"
    ) -> FileType? {
        var detection = FileDetection()
        for start in stride(from: 0, to: bytes.count, by: split) {
            let piece = bytes[start..<min(start + split, bytes.count)]
            guard detection.take(ByteBuffer(bytes: piece)) else { return nil }
        }
        return detection.finish(filename: Filename(filename))
    }

    private func koi8(_ text: String) -> [UInt8] {
        let letters = Array(
            "юабцдефгхийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ".unicodeScalars)
        return text.unicodeScalars.map { scalar in
            letters.firstIndex(of: scalar).map { UInt8(0xC0 + $0) } ?? UInt8(scalar.value)
        }
    }
}

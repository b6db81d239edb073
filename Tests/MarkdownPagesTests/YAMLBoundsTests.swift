import Testing

@testable import MarkdownPages

@Suite("YAML of strangers")
struct YAMLBoundsTests {
    private func allows(_ text: String) -> Bool {
        YAMLBounds.allow(text.split(separator: "\n", omittingEmptySubsequences: false))
    }

    @Test(
        "is not parsed where something may be named, or repeated by its name",
        arguments: [
            "a: &b c", "a:\t*b", "*b : c", "  *b : c", "- *b", "-\t&b c", "? *b", "{*b : c}",
            "[*b]", "[a,*b]", "{a:*b}", "{?*b}", "x: 1\r*b : c", "x: 1\u{2028}*b : c",
            "x: 1\u{85}  *b : c", "\u{FEFF}*b : c", "a: *\u{301}b", "<<: {a: b}", "{<<: [a]}",
            "a:\n  <<: *b",
        ])
    func references(_ text: String) {
        #expect(!allows(text))
    }

    @Test(
        "is parsed otherwise",
        arguments: [
            "a: b", "a: b & c", "a: 2 * 3", "a: b&c", "a: \"*b*\"", "a: b *c*", "a: b &c", "# *b",
            "a: b <<c", "a: b<<c", "* b", "- &", "",
        ])
    func plain(_ text: String) {
        #expect(allows(text))
    }

    @Test("is not parsed when it is nested deeply, or could be")
    func nested() {
        let part = String(repeating: "? ", count: 40)
        #expect(allows(part))
        #expect(!allows(part + "\n" + String(repeating: " ", count: 80) + part))
        // An accent makes one character of a bracket and itself.
        #expect(!allows(String(repeating: "[\u{301},", count: 65)))
        #expect(allows(String(repeating: "a?", count: 64)))
    }

    @Test("is not parsed when it is long")
    func long() {
        let line = String(repeating: "a", count: 2_000)
        #expect(allows(line))
        #expect(!allows(line + "a"))
        #expect(allows(Array(repeating: line, count: 16).joined(separator: "\n")))
        #expect(!allows(Array(repeating: line, count: 17).joined(separator: "\n")))
    }
}

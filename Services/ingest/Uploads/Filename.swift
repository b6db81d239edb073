/// A file's name as we keep and show it: never a path, never with controls.
struct Filename: Sendable, Hashable {
    let text: String

    /// In bytes of UTF-8: what the file systems of our users take.
    private static let byteCountMax = 255

    init(_ written: String) {
        let base = written.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? ""
        let kept = base.unicodeScalars.filter { !Self.isHidden($0) }
        var name = String(String.UnicodeScalarView(kept))
        while let first = name.first, first.isWhitespace { name.removeFirst() }
        while let last = name.last, last.isWhitespace { name.removeLast() }
        if name.allSatisfy({ $0 == "." }) { name = "" }
        text = name.isEmpty ? "file" : Self.shortened(name)
    }

    /// Lower case, without the dot; empty when there is none.
    var fileExtension: String {
        guard let dot = text.lastIndex(of: "."), dot > text.startIndex else { return "" }
        return text[text.index(after: dot)...].lowercased()
    }

    /// Controls, and the marks that turn the direction of what follows: they make `gpj.exe` of a
    /// program look like a picture.
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }

    /// Cut before the extension, between characters.
    private static func shortened(_ name: String) -> String {
        guard name.utf8.count > byteCountMax else { return name }
        var ending = ""
        if let dot = name.lastIndex(of: "."), name[dot...].utf8.count <= 16 {
            ending = String(name[dot...])
        }
        var stem = name.dropLast(ending.count)
        while stem.utf8.count + ending.utf8.count > byteCountMax { stem.removeLast() }
        return stem + ending
    }
}

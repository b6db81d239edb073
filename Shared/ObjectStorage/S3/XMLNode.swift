import NIOCore

/// What we need of XML to read S3's answers: elements and their text. No document types, hence no
/// entities but the five that every document has.
struct XMLNode: Sendable {
    let name: String
    private(set) var text = ""
    private(set) var children: [XMLNode] = []

    /// The text of the first child of this name.
    subscript(_ name: String) -> String? { children.first { $0.name == name }?.text }

    func all(_ name: String) -> [XMLNode] { children.filter { $0.name == name } }

    /// Nil when it is no such document.
    init?(_ document: ByteBuffer) {
        var reader = XMLReader(bytes: Array(document.readableBytesView))
        guard let root = reader.readDocument() else { return nil }
        self = root
    }

    fileprivate init(name: String) { self.name = name }

    fileprivate mutating func take(_ more: Content) {
        switch more {
        case .text(let more): text += more
        case .child(let child): children.append(child)
        }
    }

    fileprivate enum Content {
        case text(String)
        case child(XMLNode)
    }
}

private struct XMLReader {
    private static let depthMax = 16
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func readDocument() -> XMLNode? {
        skipInstructions()
        return readElement(depth: 1)
    }

    private mutating func skipInstructions() {
        while true {
            skipSpace()
            guard skip("<?"), skipPast("?>") else { return }
        }
    }

    private mutating func readElement(depth: Int) -> XMLNode? {
        guard depth <= Self.depthMax, skip("<"), let name = readName(),
            let isEmpty = skipAttributes()
        else { return nil }
        var node = XMLNode(name: name)
        if isEmpty { return node }
        while !skip("</") {
            guard let content = readContent(depth: depth) else { return nil }
            node.take(content)
        }
        guard readName() == name else { return nil }
        skipSpace()
        return skip(">") ? node : nil
    }

    private mutating func readContent(depth: Int) -> XMLNode.Content? {
        if peek() == UInt8(ascii: "<") {
            return readElement(depth: depth + 1).map { .child($0) }
        }
        let start = position
        while let byte = peek(), byte != UInt8(ascii: "<") { position += 1 }
        guard position < bytes.count else { return nil }
        return Self.decoded(bytes[start..<position]).map { .text($0) }
    }

    private mutating func readName() -> String? {
        let start = position
        while let byte = peek(), !Self.ends(byte) { position += 1 }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    private static func ends(_ byte: UInt8) -> Bool {
        isSpace(byte) || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/")
            || byte == UInt8(ascii: "<")
    }

    /// To the end of a start tag. True when the element ended with it.
    private mutating func skipAttributes() -> Bool? {
        var quote: UInt8?
        while let byte = peek() {
            if quote == nil, skip("/>") { return true }
            position += 1
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return false
            }
        }
        return nil
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>) -> String? {
        let parts = String(decoding: bytes, as: UTF8.self).split(
            separator: "&", omittingEmptySubsequences: false)
        var text = String(parts[0])
        for part in parts.dropFirst() {
            guard let end = part.firstIndex(of: ";"), let character = entity(part[..<end]) else {
                return nil
            }
            text.unicodeScalars.append(character)
            text += part[part.index(after: end)...]
        }
        return text
    }

    private static func entity(_ name: Substring) -> Unicode.Scalar? {
        switch name {
        case "amp": "&"
        case "lt": "<"
        case "gt": ">"
        case "quot": "\""
        case "apos": "'"
        case _ where name.hasPrefix("#x"):
            UInt32(name.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init)
        case _ where name.hasPrefix("#"): UInt32(name.dropFirst()).flatMap(Unicode.Scalar.init)
        default: nil
        }
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    private mutating func skipSpace() {
        while let byte = peek(), Self.isSpace(byte) { position += 1 }
    }

    private mutating func skip(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        for offset in 0..<count where bytes[position + offset] != text.utf8Start[offset] {
            return false
        }
        position += count
        return true
    }

    private mutating func skipPast(_ text: StaticString) -> Bool {
        while position < bytes.count {
            if skip(text) { return true }
            position += 1
        }
        return false
    }
}

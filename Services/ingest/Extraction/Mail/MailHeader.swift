import CharacterEncoding

/// A header of a message or of one of its parts (RFC 5322), with what it says of the content
/// (RFC 2045).
struct MailHeader {
    /// By name in lower case; the first of a name counts.
    private var fields: [String: String] = [:]

    private static let lineCountMax = 2_000
    /// Of all its lines together; the rest is not read.
    private static let byteCountMax = 256 << 10

    /// Takes the header's lines from the front, and the empty one after them.
    init(from bytes: inout ArraySlice<UInt8>) {
        var name = ""
        var room = Self.byteCountMax
        for _ in 0..<Self.lineCountMax {
            let line = Self.takeLine(&bytes)
            guard let first = line.first else { return }
            let text = Self.text(of: line.prefix(room))
            room -= min(room, line.count)
            if first == 0x20 || first == 0x09 {
                fields[name]? += " " + text.withoutLeadingSpace
            } else if let colon = text.firstIndex(of: ":") {
                name = text[..<colon].lowercased()
                let value = String(text[text.index(after: colon)...]).withoutLeadingSpace
                if fields[name] == nil { fields[name] = value } else { name = "" }
            } else if name.isEmpty, text.hasPrefix("From ") {
                // The line a mailbox puts before each message.
                continue
            }
            if bytes.isEmpty { return }
        }
    }

    var isEmpty: Bool { fields.isEmpty }

    /// As a person reads it, its encoded words decoded.
    func text(_ name: String) -> String? {
        guard let raw = fields[name] else { return nil }
        let text = TextDecoding.cleaned(EncodedWords.decode(raw))
            .split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return text.isEmpty ? nil : text
    }

    var contentType: ContentValue {
        ContentValue(fields["content-type"] ?? "text/plain; charset=us-ascii")
    }

    var disposition: ContentValue { ContentValue(fields["content-disposition"] ?? "") }

    var transferEncoding: String {
        fields["content-transfer-encoding"]?.lowercased().filter { !$0.isWhitespace } ?? ""
    }

    var filename: String? {
        (disposition["filename"] ?? contentType["name"]).map(EncodedWords.decode)
    }

    private static func takeLine(_ bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let end = bytes.firstIndex(of: 0x0A) ?? bytes.endIndex
        var line = bytes[..<end]
        if line.last == 0x0D { line.removeLast() }
        bytes = bytes[min(end + 1, bytes.endIndex)...]
        return line
    }

    /// Headers are ASCII, or UTF-8 (RFC 6532); older programs wrote what they had.
    private static func text(of line: ArraySlice<UInt8>) -> String {
        String(validating: line, as: UTF8.self)
            ?? CharacterEncoding.windowsLatin1.decode(
                Array(line))
    }
}

/// `value; name=value; name*=charset'language'value` (RFC 2045, RFC 2231).
struct ContentValue {
    /// In lower case.
    let value: String
    private var parameters: [String: String] = [:]

    init(_ text: String) {
        var parts = Self.split(text)[...]
        value = (parts.popFirst() ?? "").lowercased()
        var continued: [String: [Int: String]] = [:]
        for part in parts {
            guard let equals = part.firstIndex(of: "=") else { continue }
            let name = part[..<equals].lowercased().filter { !$0.isWhitespace }
            let value = Self.unquoted(part[part.index(after: equals)...])
            let pieces = name.split(separator: "*", omittingEmptySubsequences: false)
            if pieces.count > 1, let number = Int(pieces[1]) {
                let piece = pieces.count > 2 ? Self.extended(value) : value
                continued[String(pieces[0]), default: [:]][number] = piece
            } else if pieces.count > 1 {
                parameters[String(pieces[0])] = Self.extended(value)
            } else if parameters[name] == nil {
                parameters[name] = value
            }
        }
        for (name, pieces) in continued where parameters[name] == nil {
            parameters[name] = pieces.sorted { $0.key < $1.key }.map(\.value).joined()
        }
    }

    subscript(name: String) -> String? { parameters[name] }

    /// At semicolons outside quotes.
    private static func split(_ text: String) -> [String] {
        var parts = [""]
        var isQuoted = false
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if character == ";", !isQuoted {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts.map { String(Substring($0.withoutLeadingSpace).withoutTrailingSpace) }
    }

    private static func unquoted(_ text: Substring) -> String {
        let trimmed = Substring(String(text).withoutLeadingSpace).withoutTrailingSpace
        guard trimmed.count > 1, trimmed.hasPrefix("\""), trimmed.hasSuffix("\"") else {
            return String(trimmed)
        }
        return trimmed.dropFirst().dropLast().split(separator: "\\").joined()
    }

    private static func extended(_ text: String) -> String {
        let parts = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        let encoding = parts.count == 3 ? CharacterEncoding(named: String(parts[0])) : nil
        let bytes = TransferDecoding.escaped(
            Array((parts.last ?? "").utf8), mark: UInt8(ascii: "%"))
        return (encoding ?? .utf8).decode(bytes)
    }
}

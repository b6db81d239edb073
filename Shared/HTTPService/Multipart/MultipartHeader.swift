/// What the headers of one part say (RFC 7578, section 4.2).
package struct MultipartHeader: Sendable, Hashable {
    /// The form field.
    package let name: String
    /// As the client wrote it: not to be trusted as a path. Nil when the part is no file.
    package let filename: String?
    /// As the client claims it.
    package let contentType: String?

    package init(name: String, filename: String?, contentType: String?) {
        self.name = name
        self.filename = filename
        self.contentType = contentType
    }

    /// Reads the lines between a delimiter and the empty line.
    init(parsing bytes: some Collection<UInt8>) throws(MultipartError) {
        var disposition: HeaderParameters?
        var contentType: String?
        for line in try Self.lines(of: bytes) {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
                throw .malformed("a header line without a name")
            }
            let value = String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
            switch line[..<colon].lowercased() {
            case "content-disposition":
                guard disposition == nil, let read = HeaderParameters(value) else {
                    throw .malformed("a bad Content-Disposition")
                }
                disposition = read
            case "content-type": contentType = value
            case "content-transfer-encoding":
                let encoding = value.lowercased()
                guard ["binary", "8bit", "7bit"].contains(encoding) else {
                    throw .malformed("an unsupported transfer encoding")
                }
            default: break
            }
        }
        guard let disposition, disposition.token == "form-data",
            let name = disposition.parameters["name"]
        else { throw .malformed("a part without a name") }
        self.name = Self.unescaped(name)
        filename = disposition.parameters["filename"].map(Self.unescaped)
        self.contentType = contentType
    }

    private static func lines(
        of bytes: some Collection<UInt8>
    ) throws(MultipartError) -> [Substring] {
        let text = String(decoding: bytes, as: UTF8.self)
        // CRLF is one Character: a lone CR or LF, and any other control, stays in a line.
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: true)
        for line in lines {
            let isClean = line.unicodeScalars.allSatisfy {
                $0.value >= 0x20 && $0.value != 0x7F || $0 == "\t"
            }
            guard isClean, line.first != " ", line.first != "\t" else {
                throw .malformed("a bad header line")
            }
        }
        return lines
    }

    /// Browsers write these three characters, and no others, as escapes (HTML, multipart encoding).
    private static func unescaped(_ text: String) -> String {
        guard text.contains("%") else { return text }
        var result = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            let escape = rest.prefix(2)
            switch (character, escape) {
            case ("%", "22"): result.append("\"")
            case ("%", "0D"), ("%", "0d"), ("%", "0A"), ("%", "0a"): result.append(" ")
            default:
                result.append(character)
                continue
            }
            rest.removeFirst(2)
        }
        return result
    }
}

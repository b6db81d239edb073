import CharacterEncoding

/// An exported message (RFC 5322, MIME): who wrote what to whom, its text, the messages it carries,
/// and the names of its attachments. Attached files are not opened: they can be uploaded themselves.
struct Mail {
    private let limits: ReadingLimits
    private var partCount = 0
    private var blocks: [TextBlock] = []
    private var attachmentNames: [String] = []

    static func read(
        _ bytes: [UInt8], limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        var content = bytes[...]
        let header = MailHeader(from: &content)
        guard !header.isEmpty else { throw .corrupt }
        var mail = Mail(limits: limits)
        mail.takeEnvelope(header)
        try mail.take(content, header, depth: 1)
        mail.takeAttachmentNames()
        return DocumentBlocks(title: header.text("subject"), blocks: mail.blocks)
    }

    private init(limits: ReadingLimits) { self.limits = limits }

    private static let envelope = ["from", "to", "cc", "date", "subject"]

    private mutating func takeEnvelope(_ header: MailHeader) {
        let lines = Self.envelope.compactMap { name in
            header.text(name).map { "\(name.prefix(1).uppercased())\(name.dropFirst()): \($0)" }
        }
        if !lines.isEmpty { blocks.append(TextBlock(.list, lines.joined(separator: "\n"))) }
    }

    private mutating func take(
        _ content: ArraySlice<UInt8>, _ header: MailHeader, depth: Int
    ) throws(ExtractionFailure) {
        guard depth <= limits.depthMax else { throw .tooDeep }
        partCount += 1
        guard partCount <= limits.entryCountMax else { throw .tooManyEntries }
        let type = header.contentType
        if type.value.hasPrefix("multipart/"), let boundary = type["boundary"] {
            let parts = MailParts.of(
                content, boundary: boundary, countMax: limits.entryCountMax)
            try take(parts: parts, type.value, depth: depth)
        } else if header.disposition.value == "attachment" {
            attachmentNames.append(header.filename ?? "?")
        } else if type.value == "message/rfc822" {
            var inner = TransferDecoding.decoded(content, header.transferEncoding)
            let innerHeader = MailHeader(from: &inner)
            takeEnvelope(innerHeader)
            try take(inner, innerHeader, depth: depth + 1)
        } else if type.value.hasPrefix("text/") {
            try takeText(content, header)
        } else if let name = header.filename {
            attachmentNames.append(name)
        }
    }

    private mutating func take(
        parts: [ArraySlice<UInt8>], _ type: String, depth: Int
    ) throws(ExtractionFailure) {
        let parts = parts.map { part in
            var content = part
            return (header: MailHeader(from: &content), content: content)
        }
        guard type == "multipart/alternative" else {
            for part in parts { try take(part.content, part.header, depth: depth + 1) }
            return
        }
        // The same text several times, the best last: plain text is all that we want of it.
        let chosen =
            parts.first {
                $0.header.contentType.value == "text/plain"
                    && $0.content.contains { $0 > 0x20 }
            } ?? parts.last
        if let chosen { try take(chosen.content, chosen.header, depth: depth + 1) }
    }

    private mutating func takeText(
        _ content: ArraySlice<UInt8>, _ header: MailHeader
    ) throws(ExtractionFailure) {
        let bytes = TransferDecoding.decode(content, header.transferEncoding)
        let type = header.contentType
        if type.value == "text/html" {
            blocks += try WebPageReader.read(bytes, charset: type["charset"], limits: limits)
                .blocks
            return
        }
        // Most that call themselves ASCII and are not say nothing about what they are.
        let stated = type["charset"].flatMap { $0.lowercased() == "us-ascii" ? nil : $0 }
        let text =
            stated.flatMap(CharacterEncoding.init(named:))
            .map { TextDecoding.cleaned($0.decode(bytes)) } ?? TextDecoding.decode(bytes)
        blocks += PlainText.blocks(of: text)
    }

    private mutating func takeAttachmentNames() {
        let lines = attachmentNames.map { "- \(TextDecoding.cleaned($0))" }
        if !lines.isEmpty { blocks.append(TextBlock(.list, lines.joined(separator: "\n"))) }
    }
}

/// The parts of a multipart body (RFC 2046, section 5.1). One that is cut short ends with its bytes.
enum MailParts {
    /// One more than `countMax` when there are more.
    static func of(
        _ content: ArraySlice<UInt8>, boundary: String, countMax: Int
    ) -> [ArraySlice<UInt8>] {
        let mark = Array("--\(boundary)".utf8)
        var parts: [ArraySlice<UInt8>] = []
        var start: Int?
        var position = content.startIndex
        while position < content.endIndex {
            let lineEnd = content[position...].firstIndex(of: 0x0A) ?? content.endIndex
            if content[position..<lineEnd].starts(with: mark) {
                if let start { parts.append(content[start..<max(start, position)]) }
                start = min(lineEnd + 1, content.endIndex)
                let rest = content[(position + mark.count)..<lineEnd]
                if parts.count > countMax { return parts }
                if rest.starts(with: Array("--".utf8)) { return parts }
            }
            position = lineEnd + 1
        }
        if let start, start < content.endIndex { parts.append(content[start...]) }
        return parts
    }
}

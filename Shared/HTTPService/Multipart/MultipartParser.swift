import Glibc
package import NIOCore

/// Reads `multipart/form-data` bytes fed to it in any split, holding back at most one delimiter.
///
/// Append what arrived, then take events until there are none; `finish` at the body's end.
package struct MultipartParser: Sendable {
    package enum Event: Sendable, Hashable {
        case partBegan(MultipartHeader)
        case bytes(ByteBuffer)
        case partEnded
    }

    private enum State {
        case preamble
        /// Just after a delimiter: `--`, or padding and a line end.
        case afterDelimiter
        case headers
        case content
        case epilogue
    }

    private let delimiter: [UInt8]
    private let limits: MultipartLimits
    private var state = State.preamble
    private var buffer = ByteBuffer()
    private var partCount = 0
    /// Of what the current state throws away.
    private var skippedByteCount = 0

    package init(boundary: MultipartBoundary, limits: MultipartLimits = .init()) {
        delimiter = Array("\r\n--".utf8) + boundary.bytes
        self.limits = limits
        // The first delimiter may open the body, without its line end.
        buffer.writeString("\r\n")
    }

    package mutating func append(_ bytes: ByteBuffer) {
        var bytes = bytes
        buffer.writeBuffer(&bytes)
        buffer.discardReadBytes()
    }

    /// The next event, or nil when more bytes are needed.
    package mutating func next() throws(MultipartError) -> Event? {
        while true {
            switch state {
            case .preamble:
                guard try skipPreamble() else { return nil }
            case .afterDelimiter:
                guard try readDelimiterEnd() else { return nil }
            case .headers:
                guard let header = try readHeaders() else { return nil }
                return .partBegan(header)
            case .content:
                return readContent()
            case .epilogue:
                try skip(buffer.readableBytes)
                return nil
            }
        }
    }

    /// Throws unless the closing delimiter was read.
    package func finish() throws(MultipartError) {
        guard case .epilogue = state else { throw .malformed("the body ends too early") }
    }

    private mutating func skipPreamble() throws(MultipartError) -> Bool {
        let found = position(of: delimiter)
        try skip(found.start)
        guard found.isWhole else { return false }
        enter(.afterDelimiter, past: delimiter.count)
        return true
    }

    private mutating func readDelimiterEnd() throws(MultipartError) -> Bool {
        let view = buffer.readableBytesView
        guard let first = view.first else { return false }
        if first == UInt8(ascii: "-") {
            guard view.count >= 2 else { return false }
            guard view.dropFirst().first == first else { throw .malformed("a bad delimiter") }
            enter(.epilogue, past: 2)
            return true
        }
        let padding = view.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.count
        guard padding <= 64 else { throw .malformed("a bad delimiter") }
        let end = view.dropFirst(padding).prefix(2)
        if end.elementsEqual(Self.lineEnd) {
            partCount += 1
            guard partCount <= limits.partCountMax else { throw .tooMuch("parts") }
            // The line end stays: with it, headers end in an empty line even if there are none.
            enter(.headers, past: padding)
            return true
        }
        guard end.count < 2, end.isEmpty || end.first == Self.lineEnd[0] else {
            throw .malformed("a bad delimiter")
        }
        return false
    }

    private mutating func readHeaders() throws(MultipartError) -> MultipartHeader? {
        let found = position(of: Self.headersEnd)
        guard found.start <= limits.headerByteCountMax else { throw .tooMuch("headers") }
        guard found.isWhole else { return nil }
        let header = try MultipartHeader(parsing: buffer.readableBytesView.prefix(found.start))
        // Its last line end stays too: an empty content is followed by a delimiter at once.
        enter(.content, past: found.start + 4)
        isContentEmpty = true
        return header
    }

    /// Whether nothing of the current part's content was read yet.
    private var isContentEmpty = true

    private mutating func readContent() -> Event? {
        if isContentEmpty, let isDelimiter = startsWithDelimiterWithoutLineEnd() {
            if isDelimiter {
                enter(.afterDelimiter, past: delimiter.count - 2)
                return .partEnded
            }
            isContentEmpty = false
        } else if isContentEmpty {
            return nil
        }
        let found = position(of: delimiter)
        if found.start > 0 {
            return buffer.readSlice(length: found.start).map(Event.bytes)
        }
        guard found.isWhole else { return nil }
        enter(.afterDelimiter, past: delimiter.count)
        return .partEnded
    }

    /// An empty content's delimiter shares its line end with the headers' empty line.
    /// Nil while too few bytes are there to tell.
    private func startsWithDelimiterWithoutLineEnd() -> Bool? {
        let short = delimiter.dropFirst(2)
        let view = buffer.readableBytesView.prefix(short.count)
        guard view.elementsEqual(short.prefix(view.count)) else { return false }
        return view.count == short.count ? true : nil
    }

    private mutating func enter(_ next: State, past byteCount: Int) {
        buffer.moveReaderIndex(forwardBy: byteCount)
        skippedByteCount = 0
        state = next
    }

    private mutating func skip(_ byteCount: Int) throws(MultipartError) {
        buffer.moveReaderIndex(forwardBy: byteCount)
        skippedByteCount += byteCount
        guard skippedByteCount <= limits.preambleByteCountMax else {
            throw .tooMuch("bytes outside the parts")
        }
    }

    /// Where `pattern` begins; when it is not there, where its beginning may be, or the end.
    private func position(of pattern: [UInt8]) -> (start: Int, isWhole: Bool) {
        buffer.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return (0, false) }
            var start = 0
            while start < bytes.count {
                guard
                    let found = memchr(
                        base.advanced(by: start), Int32(pattern[0]),
                        bytes.count - start)
                else { break }
                let next = UnsafeRawPointer(found) - UnsafeRawPointer(base)
                let length = min(pattern.count, bytes.count - next)
                if bytes[next..<next + length].elementsEqual(pattern.prefix(length)) {
                    return (next, length == pattern.count)
                }
                start = next + 1
            }
            return (bytes.count, false)
        }
    }

    private static let lineEnd = Array("\r\n".utf8)
    private static let headersEnd = Array("\r\n\r\n".utf8)
}

import HTTPService
import NIOCore
import TestSupport
import Testing

@Suite("Multipart forms with damage")
struct MultipartFuzzTests {
    private static let examples = [
        """
        --x\r
        Content-Disposition: form-data; name="note"\r
        \r
        a\r
        --x\r
        Content-Disposition: form-data; name="file"; filename="a.md"\r
        Content-Type: text/markdown\r
        \r
        # One\r
        \r
        --y\r
        -\r
        --x--\r

        """,
        """
        preamble\r
        --x  \r
        Content-Disposition: form-data; name=file; filename*=UTF-8''%c3%a8.txt\r
        \r
        \r
        --x--epilogue
        """,
    ].map { Array($0.utf8) }

    private static let tokens = [
        "\r\n--x", "--x", "--x--", "\r\n", "\r\n\r\n", "Content-Disposition: form-data; name=\"",
        "filename*=UTF-8''%", "\"", "\\", ";", "=", "Content-Type:",
    ]

    /// What came of a form: the parts and their bytes, or the refusal.
    private enum Reading: Equatable {
        case parts([String])
        case refused(MultipartError)
    }

    @Test("read the same however they are cut, and never give bytes that are not there")
    func everyCut() async throws {
        let boundary = try MultipartBoundary(contentType: "multipart/form-data; boundary=x")
        try await Fuzzing("multipart", runCount: 2_000).each(
            of: Self.examples, tokens: Self.tokens
        ) { input in
            let whole = Self.read([input.bytes[...]], boundary)
            let pieces = input.bytes.cut(using: &input.generator)
            #expect(Self.read(pieces, boundary) == whole, "\(input.comment)")
        }
    }

    @Test("and with any boundary and any headers never trap")
    func headers() async throws {
        let examples = [
            "multipart/form-data; boundary=\"a b\"", "multipart/form-data;boundary=x; charset=y",
        ].map { Array($0.utf8) }
        try await Fuzzing("multipart boundaries", runCount: 2_000).each(
            of: examples, tokens: ["boundary=", "\"", "\\", ";", "=", "multipart/form-data"]
        ) { input in
            let header = String(decoding: input.bytes, as: UTF8.self)
            // A refusal is as good as a boundary; a trap is not.
            guard let boundary = try? MultipartBoundary(contentType: header) else { return }
            #expect((1...70).contains(boundary.bytes.count), "\(input.comment)")
        }
    }

    private static func read(
        _ pieces: [ArraySlice<UInt8>], _ boundary: MultipartBoundary
    ) -> Reading {
        var parser = MultipartParser(boundary: boundary)
        var parts: [String] = []
        do throws(MultipartError) {
            for piece in pieces {
                parser.append(ByteBuffer(bytes: piece))
                while let event = try parser.next() {
                    switch event {
                    case .partBegan(let header): parts.append("\(header)\n")
                    case .bytes(let bytes): parts[parts.count - 1] += "\(Array(buffer: bytes))"
                    case .partEnded: break
                    }
                }
            }
            try parser.finish()
        } catch {
            return .refused(error)
        }
        // Where the pieces of a part's bytes were cut makes no difference.
        return .parts(parts.map { $0.replacing("][", with: ", ") })
    }
}

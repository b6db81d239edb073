import HTTPService
import NIOCore
import Testing

@Suite("Multipart")
struct MultipartTests {
    @Test("reads the same in every split of the bytes")
    func everySplit() throws {
        let body = form(
            part(headers: ["Content-Disposition: form-data; name=\"note\""], "a\r\n--b\r\nc"),
            part(
                headers: [
                    "Content-Disposition: form-data; name=\"file\"; filename=\"a.md\"",
                    "Content-Type: text/markdown",
                ], "# One\r\n\r\n--x\r\n-\r\n--\r"),
            part(headers: ["Content-Disposition: form-data; name=\"empty\""], ""))
        let whole = try read(body, split: body.count)
        #expect(whole.map(\.header.name) == ["note", "file", "empty"])
        #expect(whole[0].content == "a\r\n--b\r\nc")
        #expect(whole[1].header.filename == "a.md")
        #expect(whole[1].header.contentType == "text/markdown")
        #expect(whole[1].content == "# One\r\n\r\n--x\r\n-\r\n--\r")
        #expect(whole[2].content == "")
        for size in 1..<body.count { #expect(try read(body, split: size) == whole) }
        for cut in 1..<body.count {
            #expect(try read(body, pieces: [body[..<cut], body[cut...]]) == whole)
        }
    }

    @Test("refuses every body that ends early")
    func truncated() {
        let body = form(part(file: "a.txt", "hello"))
        for count in 0..<body.count {
            // The line end after the closing delimiter is not needed.
            guard count < body.count - 2 else { continue }
            #expect(throws: MultipartError.self) { try read(Array(body[..<count]), split: 7) }
        }
    }

    @Test("takes a preamble and an epilogue within bounds, and refuses them beyond")
    func aroundTheParts() throws {
        let body = form(part(file: "a.txt", "hello"))
        let around = Array("preamble\r\n".utf8) + body + Array("epilogue".utf8)
        #expect(try read(around, split: 5).map(\.content) == ["hello"])
        let long = [UInt8](repeating: 0x41, count: 5_000)
        #expect(throws: MultipartError.tooMuch("bytes outside the parts")) {
            try read(long + Array("\r\n".utf8) + body, split: 100)
        }
        #expect(throws: MultipartError.tooMuch("bytes outside the parts")) {
            try read(body + long, split: 100)
        }
    }

    @Test("refuses endless headers and endless parts")
    func bounds() {
        let header = "Content-Disposition: form-data; name=\"a\""
        let long = "X: " + String(repeating: "y", count: 9_000)
        #expect(throws: MultipartError.tooMuch("headers")) {
            try read(form(part(headers: [header, long], "a")), split: 100)
        }
        let parts = (0..<17).map { _ in part(headers: [header], "a") }
        #expect(throws: MultipartError.tooMuch("parts")) {
            try read(form(parts), split: 100)
        }
    }

    @Test(
        "refuses headers that are no headers",
        arguments: [
            ["Content-Disposition: form-data"],
            ["Content-Disposition: attachment; name=\"file\""],
            ["Content-Disposition: form-data; name=\"file"],
            ["Content-Disposition: form-data; name=\"a\"; name=\"b\""],
            ["Content-Disposition: form-data; name=\"a\"", "Content-Disposition: form-data"],
            ["Content-Disposition: form-data; name=\"a\"", " folded"],
            ["Content-Disposition: form-data; name=\"a\u{1}\""],
            ["Content-Disposition: form-data; name=\"a\"", "Content-Transfer-Encoding: base64"],
            [": nothing"], ["nothing"], [],
        ])
    func badHeaders(_ headers: [String]) {
        #expect(throws: MultipartError.self) {
            try read(form(part(headers: headers, "a")), split: 11)
        }
    }

    @Test("reads the file names browsers and curl send")
    func filenames() throws {
        let written = [
            (#""a b.md""#, "a b.md"), ("plain.txt", "plain.txt"), (#""a\"b.md""#, "a\"b.md"),
            (#""a%22b.md""#, "a\"b.md"), (#""C:\new\text.md""#, #"C:\new\text.md"#),
            (#""100%.md""#, "100%.md"), (#""città.md""#, "città.md"),
        ]
        for (value, name) in written {
            let header = "Content-Disposition: form-data; name=\"file\"; filename=\(value)"
            let parts = try read(form(part(headers: [header], "a")), split: 9)
            #expect(parts.first?.header.filename == name)
        }
    }

    @Test(
        "takes a boundary from the content type, or refuses it",
        arguments: [
            ("multipart/form-data; boundary=X", "X"),
            ("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"", "a b"),
            ("multipart/form-data", nil), ("multipart/form-data; boundary=", nil),
            ("multipart/form-data; boundary=\"a \"", nil), ("application/json", nil),
            ("multipart/form-data; boundary=a\u{7F}", nil),
            ("multipart/form-data; boundary=" + String(repeating: "a", count: 71), nil),
        ] as [(String, String?)])
    func boundaries(_ contentType: String, _ expected: String?) {
        // Nil when it throws: the only error is that there is none.
        let boundary = try? MultipartBoundary(contentType: contentType)
        #expect(boundary.map { String(decoding: $0.bytes, as: UTF8.self) } == expected)
    }

    @Test("gives the one file's bytes and refuses two, none, or too many bytes")
    func file() async throws {
        let one = form(part(headers: [Self.note], "x"), part(file: "a.txt", "hello"))
        #expect(try await bytes(of: one, byteCountMax: 5) == "hello")
        await #expect(throws: MultipartError.fileTooLarge) {
            try await bytes(of: one, byteCountMax: 4)
        }
        let two = form(part(file: "a.txt", "hello"), part(file: "b.txt", "hello"))
        await #expect(throws: MultipartError.malformed("more than one file")) {
            try await bytes(of: two, byteCountMax: 100)
        }
        let none = form(part(headers: [Self.note], "x"))
        await #expect(throws: MultipartError.fieldMissing("file")) {
            try await bytes(of: none, byteCountMax: 100)
        }
    }

    @Test("neither crashes nor reads a file to its end from random damage")
    func damage() {
        var random = SystemRandomNumberGenerator()
        let body = form(part(headers: [Self.note], "x"), part(file: "a.txt", "hello\r\n--y"))
        for _ in 0..<3_000 {
            var damaged = body
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<damaged.count, using: &random)
                if Bool.random(using: &random) {
                    damaged[place] = UInt8.random(in: 0...255, using: &random)
                } else {
                    damaged.remove(at: place)
                }
            }
            // Any error is right: what matters is that it ends, and in an error or in parts.
            let parts = try? read(damaged, split: Int.random(in: 1...40, using: &random))
            #expect((parts?.count ?? 0) <= 3)
        }
    }

    private static let note = "Content-Disposition: form-data; name=\"note\""
}

private struct Part: Equatable {
    let header: MultipartHeader
    var content: String
}

private func part(headers: [String], _ content: String) -> String {
    (headers + ["", content]).joined(separator: "\r\n")
}

private func part(file: String, _ content: String) -> String {
    part(
        headers: ["Content-Disposition: form-data; name=\"file\"; filename=\"\(file)\""], content)
}

private func form(_ parts: String...) -> [UInt8] { form(parts) }

private func form(_ parts: [String]) -> [UInt8] {
    Array((parts.map { "--X\r\n\($0)\r\n" }.joined() + "--X--\r\n").utf8)
}

private func read(_ body: [UInt8], split: Int) throws -> [Part] {
    try read(
        body,
        pieces: stride(from: 0, to: body.count, by: split).map {
            body[$0..<min($0 + split, body.count)]
        })
}

private func read(_ body: [UInt8], pieces: [ArraySlice<UInt8>]) throws -> [Part] {
    var parser = MultipartParser(
        boundary: try MultipartBoundary(contentType: "multipart/form-data; boundary=X"))
    var parts: [Part] = []
    for piece in pieces {
        parser.append(ByteBuffer(bytes: piece))
        while let event = try parser.next() {
            switch event {
            case .partBegan(let header): parts.append(Part(header: header, content: ""))
            case .bytes(let bytes): parts[parts.count - 1].content += String(buffer: bytes)
            case .partEnded: break
            }
        }
    }
    try parser.finish()
    return parts
}

private func bytes(of body: [UInt8], byteCountMax: Int) async throws -> String {
    let (stream, source) = AsyncStream<ByteBuffer>.makeStream()
    for byte in body { source.yield(ByteBuffer(bytes: [byte])) }
    source.finish()
    let file = MultipartFile(
        stream, boundary: try MultipartBoundary(contentType: "multipart/form-data; boundary=X"),
        field: "file", byteCountMax: byteCountMax)
    var content = ""
    for try await bytes in file { content += String(buffer: bytes) }
    #expect(file.header?.filename == "a.txt")
    return content
}

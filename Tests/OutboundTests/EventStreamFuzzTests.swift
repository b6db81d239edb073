import TestSupport
import Testing

@testable import ModelEndpoint

@Suite("Event streams with damage")
struct EventStreamFuzzTests {
    private static let examples = [
        "data: {\"a\": 1}\n\ndata: {\"b\": 2}\r\n\r\ndata: [DONE]\n\n",
        "\u{FEFF}: comment\nid: 7\nevent: x\ndata: one\ndata:two\ndata\n\nretry: 10\n\n",
        "data: è\rdata: 👩‍👩‍👧\r\rerror: {\"message\": \"no\"}\n\ndata:\n\n",
    ].map { Array($0.utf8) }

    @Test("read the same however they are cut, and as the standard says")
    func everyCut() async throws {
        let fuzzing = Fuzzing("event streams", runCount: 2_000)
        try await fuzzing.each(
            of: Self.examples, tokens: ["data:", "data: ", "\n", "\r", "\r\n", ":", "error:"]
        ) { input in
            let wanted = Self.reading(input.bytes)
            var parser = EventStreamParser(byteCountMax: 1 << 20)
            var events: [[UInt8]] = []
            for piece in input.bytes.cut(using: &input.generator) {
                events += try parser.feed(piece)
            }
            #expect(events == wanted, "\(input.comment)")
        }
    }

    @Test("are given up beyond the limit, wherever they are cut")
    func limits() async throws {
        let fuzzing = Fuzzing("long events", runCount: 500)
        try await fuzzing.each(of: Self.examples, tokens: ["data: "]) { input in
            let isOver = (try? Self.read(input.bytes, pieces: [input.bytes[...]], max: 24)) == nil
            let pieces = input.bytes.cut(using: &input.generator)
            // Nil is the overflow, which is what is compared.
            let isOverInPieces = (try? Self.read(input.bytes, pieces: pieces, max: 24)) == nil
            #expect(isOver == isOverInPieces, "\(input.comment)")
        }
    }

    private static func read(
        _ bytes: [UInt8], pieces: [ArraySlice<UInt8>], max: Int
    ) throws -> [[UInt8]] {
        var parser = EventStreamParser(byteCountMax: max)
        return try pieces.flatMap { try parser.feed($0) }
    }

    /// The standard's own steps (WHATWG HTML, 9.2.6) on the whole stream, with our `error` field.
    private static func reading(_ bytes: [UInt8]) -> [[UInt8]] {
        var rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        var lines: [ArraySlice<UInt8>] = []
        while let end = rest.firstIndex(where: { $0 == 10 || $0 == 13 }) {
            lines.append(rest[..<end])
            let isPair = rest[end...].starts(with: [13, 10])
            rest = rest[(end + (isPair ? 2 : 1))...]
        }
        var events: [[UInt8]] = []
        var data: [[UInt8]] = []
        for line in lines {
            if line.isEmpty {
                if !data.isEmpty { events.append(Array(data.joined(separator: [10]))) }
                data = []
                continue
            }
            let parts = line.split(separator: 58, maxSplits: 1, omittingEmptySubsequences: false)
            guard ["data", "error"].contains(String(decoding: parts[0], as: UTF8.self)) else {
                continue
            }
            let value = parts.count == 2 ? parts[1] : []
            data.append(Array(value.first == 32 ? value.dropFirst() : value))
        }
        return events
    }
}

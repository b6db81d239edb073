import Logging
import Synchronization
import Testing

@testable import ServiceRuntime

@Suite("Log")
struct JSONLogTests {
    @Test("writes one line of JSON for a fact, whatever is in it")
    func oneLine() {
        let lines = Lines()
        let logger = Logger(label: "test") { _ in
            JSONLog(service: "chat", level: .info, output: LogOutput { lines.add($0) })
        }
        logger.debug("too quiet")
        logger.warning("odd", metadata: ["a.b": "line\nbreak \"quoted\" \u{1}"])
        let written = lines.all
        #expect(written.count == 1)
        #expect(written[0].hasSuffix("}\n"))
        #expect(written[0].contains(#""service":"chat","message":"odd""#))
        #expect(written[0].contains(#""a.b":"line\nbreak \"quoted\" \u0001""#))
        #expect(written[0].filter { $0 == "\n" }.count == 1)
    }

    @Test("cuts a field that is a document, between two characters")
    func longFields() {
        for (text, kept) in [("x", 2000), ("\u{E9}", 2000), ("\"", 4000)] {
            var lines = JSONLines()
            lines.begin()
            lines.add("text", String(repeating: text, count: 3000))
            lines.end()
            let line = String(decoding: lines.bytes, as: UTF8.self)
            #expect(line.count == #"{"text":""}"#.count + 1 + kept)
        }
    }

    @Test(
        "writes the time in UTC with milliseconds",
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000Z"), (951_782_399, 999, "2000-02-28T23:59:59.999Z"),
            (951_782_400, 7, "2000-02-29T00:00:00.007Z"),
            (1_795_747_505, 45, "2026-11-27T02:45:05.045Z"),
        ])
    func times(seconds: Int, milliseconds: Int, text: String) {
        var bytes: [UInt8] = []
        LogTime(seconds: seconds, milliseconds: milliseconds).append(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test("keeps a sane request id and replaces any other")
    func requestIDs() {
        #expect(RequestID(accepting: "abc-1.2_3").description == "abc-1.2_3")
        for text in ["", "a b", "x\ny", String(repeating: "a", count: 129)] {
            #expect(RequestID(accepting: text).description != text)
        }
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ bytes: [UInt8]) {
        lines.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
    }
}

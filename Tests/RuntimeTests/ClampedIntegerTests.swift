import Foundation
import HTTPService
import Testing

@Suite("Numbers of a body")
struct ClampedIntegerTests {
    private struct Body: Decodable {
        let number: ClampedInteger?
    }

    @Test(
        "one that no machine word holds is the nearest that one does",
        arguments: [
            ("5", 5), ("-7", -7), ("9223372036854775807", Int.max),
            ("2946010886102586398605312", Int.max), ("-15954052819654686015488", Int.min),
            ("1e300", Int.max), ("1e3", 1000),
        ])
    func clamped(text: String, value: Int) throws {
        let body = try JSONDecoder().decode(Body.self, from: Data(#"{"number": \#(text)}"#.utf8))
        #expect(body.number?.value == value)
    }

    @Test("what is no whole number is refused", arguments: ["0.5", "true", #""5""#, "[]"])
    func refused(text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Body.self, from: Data(#"{"number": \#(text)}"#.utf8))
        }
    }
}

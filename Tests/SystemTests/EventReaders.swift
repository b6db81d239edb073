import Foundation

/// One typed event of an answer.
struct AnswerEvent {
    let id: Int?
    let type: String
    let data: Any

    var text: String { data as? String ?? "" }
    var fields: [String: Any] { data as? [String: Any] ?? [:] }
}

struct NotAStream: Error, CustomStringConvertible {
    let description: String
}

/// The three ways our clients read a stream. Each must succeed on the same bytes.
enum EventReaders {
    /// By the letter of the HTML standard's event stream: any of LF, CR, CRLF ends a line.
    /// Returns the events and whether the sentinel came last.
    static func strict(_ bytes: [UInt8]) throws -> (events: [AnswerEvent], isEnded: Bool) {
        let text = String(decoding: bytes, as: UTF8.self)
            .replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        var events: [AnswerEvent] = []
        var id: Int?
        var data: [Substring] = []
        var isEnded = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty {
                if isEnded, !data.isEmpty {
                    throw NotAStream(description: "events after the sentinel")
                }
                if data == ["[DONE]"] {
                    isEnded = true
                } else if !data.isEmpty {
                    events.append(try event(data.joined(separator: "\n"), id: id))
                }
                data = []
                id = nil
            } else if line.hasPrefix(":") {
                continue
            } else if line.hasPrefix("id: ") {
                id = Int(line.dropFirst(4))
            } else if line.hasPrefix("data: ") {
                data.append(line.dropFirst(6))
            } else {
                throw NotAStream(description: "unexpected line: \(line)")
            }
        }
        return (events, isEnded)
    }

    /// As the first front end does: split on "\n\n", `JSON.parse` what follows "data: ".
    static func splitting(_ bytes: [UInt8]) throws -> [AnswerEvent] {
        var frames = String(decoding: bytes, as: UTF8.self).unicodeScalars.split(
            separator: ["\n", "\n"], omittingEmptySubsequences: false
        ).map(String.init)
        frames.removeLast()  // what has not ended yet stays in that reader's buffer
        return try frames.compactMap { frame in
            guard let at = frame.range(of: "data: ") else { return nil }
            return try event(String(frame[at.upperBound...]), id: nil)
        }
    }

    /// A line reader that looks for exactly `data: [DONE]`.
    static func seesSentinel(_ bytes: [UInt8]) -> Bool {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .contains { Array($0) == Array("data: [DONE]".utf8) }
    }

    private static func event(_ json: String, id: Int?) throws -> AnswerEvent {
        let value = try JSONSerialization.jsonObject(with: Data(json.utf8))
        guard let object = value as? [String: Any], let type = object["type"] as? String,
            let data = object["data"]
        else { throw NotAStream(description: "no type or data: \(json)") }
        return AnswerEvent(id: id, type: type, data: data)
    }
}

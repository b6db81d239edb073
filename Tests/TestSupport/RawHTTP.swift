import Foundation

/// A whole HTTP/1.1 message as it was on the wire.
package struct RawMessage: Sendable {
    package let startLine: String
    /// Names in lower case.
    package let headers: [(name: String, value: String)]
    package let body: String
    /// False if the connection ended before the message did.
    package let isWhole: Bool

    package func values(_ name: String) -> [String] {
        headers.filter { $0.name == name.lowercased() }.map(\.value)
    }

    package func value(_ name: String) -> String? { values(name).first }

    package var status: Int { Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }
}

extension RawConnection {
    /// The head alone; nil at the end of the connection.
    package func head() async -> RawMessage? {
        guard let text = await text(before: "\r\n\r\n") else { return nil }
        let lines = text.components(separatedBy: "\r\n")
        let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            return (line[..<colon].lowercased(), String(value))
        }
        return RawMessage(startLine: lines[0], headers: headers, body: "", isWhole: true)
    }

    /// A message with its body, by length or chunks. `hasBody` is false for answers to HEAD.
    package func message(hasBody: Bool = true) async -> RawMessage? {
        guard let head = await head() else { return nil }
        var body: String? = ""
        if hasBody, let length = head.value("content-length").flatMap({ Int($0) }) {
            body = await text(count: length)
        } else if hasBody, head.value("transfer-encoding") == "chunked" {
            body = await chunks()
        }
        return RawMessage(
            startLine: head.startLine, headers: head.headers, body: body ?? "",
            isWhole: body != nil)
    }

    /// One chunk's text, empty for the last; nil if the connection ends inside it.
    package func chunk() async -> String? {
        guard let size = await text(before: "\r\n"), let count = Int(size, radix: 16),
            let chunk = await text(count: count), await text(count: 2) == "\r\n"
        else { return nil }
        return chunk
    }

    private func chunks() async -> String? {
        var body = ""
        while let chunk = await chunk() {
            if chunk.isEmpty { return body }
            body += chunk
        }
        return nil
    }
}

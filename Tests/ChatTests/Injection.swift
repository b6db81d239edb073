import Foundation
import TestSupport

/// Text with an order to the model in it, and what the model says when it obeys.
struct Injection: Decodable, Sendable {
    enum Place: String, Decodable {
        case document, context, filename
    }

    let name: String
    let place: Place
    let text: String

    static func all() throws -> [Injection] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/injections/injections.json")
        return try JSONDecoder().decode([Injection].self, from: Data(contentsOf: file))
    }
}

/// A model that obeys everything it reads: it says whatever stands between « and » anywhere in its
/// prompt, and puts in what it is told to give away.
enum ObedientModel {
    private struct Request: Decodable {
        struct Message: Decodable {
            let role: String
            let content: String
        }

        let messages: [Message]
    }

    static func steps(cutting seed: UInt64) -> [ScriptedModel.Step] {
        [
            .head,
            .respond { request in
                var generator = SeededGenerator(seed: seed)
                let said = Array(try answer(to: request).unicodeScalars)
                return try said.cut(using: &generator).map { piece in
                    var view = String.UnicodeScalarView()
                    view.append(contentsOf: piece)
                    let json = String(
                        decoding: try JSONEncoder().encode(String(view)), as: UTF8.self)
                    return #"data: {"choices":[{"index":0,"delta":{"content":\#(json)}}]}"# + "\n\n"
                }
            }, .finish(), .usage, .done,
        ]
    }

    private static func answer(to request: String) throws -> String {
        let body = request.components(separatedBy: "\r\n\r\n").dropFirst()
            .joined(separator: "\r\n\r\n")
        let messages = try JSONDecoder().decode(Request.self, from: Data(body.utf8)).messages
        let prompt = messages.map(\.content).joined(separator: "\n")
        let secrets = [
            "{question}": messages.last?.content.components(separatedBy: "Question: ").last ?? "",
            "{system}": messages.first?.content ?? "",
            "{sources}": messages.last?.content ?? "",
        ]
        let orders = prompt.matches(of: /(?s)«(.*?)»/).map { String($0.output.1) }
        let said = orders.map { order in
            secrets.reduce(order) { $0.replacing($1.key, with: $1.value) }
        }
        return "Certainly. " + said.joined(separator: "\n\n")
    }
}

/// What a browser would make of an answer, by a renderer of Markdown that is not ours.
struct Rendered {
    let html: String

    init(_ markdown: String) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(markdown.utf8).write(to: file)
        defer {
            // Left behind it would only take room in a folder for such files.
            try? FileManager.default.removeItem(at: file)
        }
        html = try runToEnd(
            "/usr/bin/cmark-gfm",
            ["--unsafe", "-e", "autolink", "-e", "table", "-e", "footnotes", file.path])
    }

    /// What it would fetch, or take the member to.
    var addresses: [String] {
        let elements = html.matches(of: /<[A-Za-z][^>]*>/).map { String($0.output) }
        return elements.flatMap { element in
            element.matches(of: /\s[a-z-]+\s*=\s*["']?([^"'>\s]*)/).map { String($0.output.1) }
        }.filter { $0.contains(":") || $0.contains("/") }
    }

    /// Elements that no Markdown makes.
    var foreignElements: [String] {
        let made: Set<String> = [
            "p", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3",
            "h4", "h5", "h6", "hr", "br", "table", "thead", "tbody", "tr", "th", "td", "del", "a",
            "img", "sup", "section", "b", "i", "u", "sub", "s", "mark", "small",
        ]
        return html.matches(of: /<[\/!?]?\s*([A-Za-z][A-Za-z0-9-]*)?/)
            .map { String($0.output.1 ?? "!") }
            .filter { !made.contains($0.lowercased()) }
    }
}

import Foundation

@testable import Ingest

/// A sample of Tests/Fixtures/documents, and what is expected of it.
enum SampleDocument {
    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }

    /// - Parameter name: of a file in `expected/`, without its extension.
    static func expected(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: "expected/\(name).txt"), encoding: .utf8)
    }

    /// All that a reader made of a document, as text that can be read and compared.
    static func described(_ document: DocumentBlocks) -> String {
        var lines = ["title: \(document.title ?? "none")"]
        var page: Int?
        for block in document.blocks {
            if block.page != page { lines.append("(page \(block.page.map { "\($0)" } ?? "none"))") }
            page = block.page
            switch block.kind {
            case .heading(let level):
                lines.append(String(repeating: "#", count: level) + " " + block.text)
            case .table: lines.append("{\(block.tableHeader ?? "")}\n\(block.text)")
            case .code: lines.append("```\n\(block.text)\n```")
            case .list, .paragraph: lines.append(block.text)
            }
        }
        return lines.joined(separator: "\n\n") + "\n"
    }

    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/documents")
}

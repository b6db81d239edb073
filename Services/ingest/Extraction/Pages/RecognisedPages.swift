import ChildProcess
import FoundationEssentials

/// Pages that were read by recognition: each by a child of its own, and handed to the one that reads
/// the whole document, as lines of JSON in its folder.
enum RecognisedPages {
    /// By number. Empty when there are none yet.
    static func inOwnFolder() throws(ExtractionFailure) -> [Int: PageLayout] {
        guard let bytes = FileManager.default.contents(atPath: OwnFolder.notesName) else {
            return [:]
        }
        do {
            let pages = try decode(Array(bytes))
            return Dictionary(pages.map { ($0.number, $0) }, uniquingKeysWith: { $1 })
        } catch {
            // We wrote them.
            throw .corrupt
        }
    }

    static func encode(_ pages: [PageLayout]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        return Array(try pages.map { try encoder.encode($0) }.joined(separator: [0x0A]))
    }

    static func decode(_ bytes: [UInt8]) throws -> [PageLayout] {
        let decoder = JSONDecoder()
        return try bytes.split(separator: 0x0A).map {
            try decoder.decode(PageLayout.self, from: Data($0))
        }
    }
}

/// Where recognised pages stay until the document is indexed, so that work that is cut short does
/// not begin with the first page again.
protocol PageKeeping: Sendable {
    func find() async throws -> [PageLayout]
    func keep(_ page: PageLayout) async throws
}

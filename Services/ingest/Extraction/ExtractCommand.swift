import ArgumentParser
import ChildProcess
import FoundationEssentials
import Glibc

/// `ingest extract markdown < file`: a document's text and structure as lines of JSON.
///
/// Run by the service in a limited child for every document; it opens nothing and calls nobody.
struct ExtractCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract", abstract: "Read a document on standard input and print its text.")

    @Argument(help: "How to read it: \(Extraction.Format.allCases.map(\.rawValue)).")
    var format: Extraction.Format

    @Option(help: "How much is read at most, as JSON.")
    var limits = ReadingLimits()

    func run() throws {
        try Confinement(ofReaderOf: format).enter()
        // Tools read the file by its name.
        let bytes = format.isReadByTools ? [] : try StandardStreams.readAll()
        let document: DocumentBlocks
        do {
            document = try Extraction.extract(bytes, as: format, limits: limits)
        } catch {
            throw ExitCode(error.rawValue)
        }
        try StandardStreams.write(ExtractionOutput.encode(document))
    }
}

extension Confinement {
    /// Every reader may need what the system holds, if only the table of a rare character set;
    /// nothing there is secret.
    init(ofReaderOf format: Extraction.Format) {
        self.init(
            readable: DocumentTool.readable, mayStartPrograms: format.isReadByTools)
    }
}

extension Extraction.Format: ExpressibleByArgument {}

extension ReadingLimits: ExpressibleByArgument {
    init?(argument: String) {
        // What is no JSON of ours is no value of this option: the parser says so.
        guard let limits = try? JSONDecoder().decode(Self.self, from: Data(argument.utf8)) else {
            return nil
        }
        self = limits
    }

    var argument: String {
        get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
    }
}

/// File descriptors 0 and 1, to their end.
enum StandardStreams {
    static func readAll() throws -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(0, &part, part.count)
            if count == 0 { return bytes }
            guard count > 0 else { throw ExitCode(74) }
            bytes += part[..<count]
        }
    }

    static func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            guard count > 0 else { throw ExitCode(74) }
            rest = rest.dropFirst(count)
        }
    }
}

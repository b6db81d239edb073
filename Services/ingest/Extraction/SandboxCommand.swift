import ArgumentParser
import ChildProcess
import FoundationEssentials

/// `ingest sandbox`: what a document that has taken over its reader could not do here.
///
/// Run by the service when it starts, as the readers of documents are run.
struct SandboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Try to get out of the sandbox, and print what held.")

    func run() throws {
        let held = try Protections.tried(Confinement(ofReaderOf: .plainText))
        try StandardStreams.write(Array(JSONEncoder().encode(held)))
    }

    static func decode(_ output: [UInt8]) throws -> Protections {
        try JSONDecoder().decode(Protections.self, from: Data(output))
    }
}

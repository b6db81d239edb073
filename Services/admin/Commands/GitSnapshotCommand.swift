import ArgumentParser
import FoundationEssentials
import Git

/// The child that works on the clone: a request on its input, pages on its output. It gets no
/// environment and may be killed at any moment.
struct GitSnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "git-snapshot", abstract: "Bring a clone to a commit and print its pages.",
        shouldDisplay: false)

    func run() throws {
        let input = try StandardStreams.readAll(byteCountMax: 64 << 10)
        try GitSnapshotter.answer(input, write: StandardStreams.write)
    }
}

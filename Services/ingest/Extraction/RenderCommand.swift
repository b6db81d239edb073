import ArgumentParser
import ChildProcess
import FoundationEssentials

/// `ingest render pdf 3`, in a folder with the document: the scale as a line, then a PNG.
struct RenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render", abstract: "Draw a page of the document on standard input.")

    @Argument(help: "How to read it.")
    var format: Extraction.Format

    @Argument(help: "Which page, from 1.")
    var page: Int

    @Option(help: "How much is read at most, as JSON.")
    var limits = ReadingLimits()

    func run() throws {
        try Confinement(ofReaderOf: format).enter()
        let rendered: RenderedPage
        do {
            rendered = try RenderedPage.make(page, of: format, limits: limits)
        } catch {
            throw ExitCode(error.rawValue)
        }
        try StandardStreams.write(rendered.encoded)
    }
}

extension RenderedPage {
    var encoded: [UInt8] { Array("\(scale)\n".utf8) + png }

    /// Nil for what the command does not write.
    init?(_ output: [UInt8]) {
        guard let end = output.firstIndex(of: UInt8(ascii: "\n")),
            let scale = Double(String(decoding: output[..<end], as: UTF8.self)), scale > 0
        else { return nil }
        self.init(scale: scale, png: Array(output[(end + 1)...]))
    }
}

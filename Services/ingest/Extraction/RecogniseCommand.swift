import ArgumentParser
import ChildProcess

/// `ingest recognise pdf 3`, in a folder with the document: what stands on that page, as JSON.
struct RecogniseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recognise",
        abstract: "Read the letters on a page of the document on standard input.")

    @Argument(help: "How to read it.")
    var format: Extraction.Format

    @Argument(help: "Which page, from 1.")
    var page: Int

    @Option(help: "How much is read at most, as JSON.")
    var limits = ReadingLimits()

    func run() throws {
        try Confinement(ofReaderOf: format).enter()
        let layout: PageLayout
        do {
            switch format {
            case .pdf: layout = try PDFReader.recognise(page, limits: limits)
            case .image: layout = try PictureReader.recognise(page, limits: limits)
            default: throw ExtractionFailure.noSuchPage
            }
        } catch let failure as ExtractionFailure {
            throw ExitCode(failure.rawValue)
        }
        try StandardStreams.write(RecognisedPages.encode([layout]))
    }
}

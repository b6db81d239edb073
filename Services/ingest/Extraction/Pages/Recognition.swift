import ChildProcess

/// Character recognition by tesseract, in Italian and English.
enum Recognition {
    /// Pages are rendered to at most this: an A4 page at 300 dots an inch, and some more.
    static let pixelCountMax = 12_000_000

    /// A picture file in the own folder; boxes are in its pixels.
    static func page(_ picture: String) throws(ExtractionFailure) -> PageLayout {
        let table = try DocumentTool.run(
            "tesseract", [picture, "-", "-l", "ita+eng", "--dpi", "300", "quiet", "tsv"])
        guard table.outcome == .exited(0), var page = LayoutTable.pages(table.output).first else {
            throw .corrupt
        }
        page.isRecognised = true
        return page
    }
}

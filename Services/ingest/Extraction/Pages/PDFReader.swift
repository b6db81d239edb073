import ChildProcess

/// PDF through poppler's tools: text with its places. Pages that have none are recognised before,
/// each for itself.
struct PDFReader {
    let limits: ReadingLimits

    static func read(_ limits: ReadingLimits) throws(ExtractionFailure) -> DocumentBlocks {
        try PDFReader(limits: limits).read()
    }

    private func read() throws(ExtractionFailure) -> DocumentBlocks {
        let information = try PDFInformation.ofDocument()
        guard information.pageCount <= limits.pageCountMax else { throw .tooManyPages }
        let table = try DocumentTool.run("pdftotext", ["-q", "-tsv", DocumentTool.document, "-"])
        guard table.outcome == .exited(0) else { throw .corrupt }
        var pages = LayoutTable.pages(table.output)
        let pictures = pages.indices.filter { pages[$0].blocks.isEmpty }
        guard pictures.count <= limits.recognisedPageCountMax else { throw .tooManyScannedPages }
        let recognised = try RecognisedPages.inOwnFolder()
        let pending = pictures.map { pages[$0].number }.filter { recognised[$0] == nil }
        if !pending.isEmpty {
            return DocumentBlocks(title: nil, blocks: [], pendingPages: pending)
        }
        for place in pictures { pages[place] = recognised[pages[place].number] ?? pages[place] }
        return DocumentBlocks(title: information.title, pages: pages)
    }

    /// - Parameter number: 1-based.
    static func recognise(
        _ number: Int, limits: ReadingLimits
    ) throws(ExtractionFailure) -> PageLayout {
        guard let (width, height) = try PDFInformation.size(ofPage: number) else {
            throw .noSuchPage
        }
        let resolution = PDFRendering.resolution(
            width: width, height: height, wanted: 300,
            pixelCountMax: min(limits.pixelCountMax, Recognition.pixelCountMax))
        let picture = "page.pgm"
        let rendered = try DocumentTool.run(
            "pdftoppm",
            [
                "-q", "-gray", "-singlefile", "-r", "\(resolution)", "-f", "\(number)", "-l",
                "\(number)", DocumentTool.document, "page",
            ])
        guard rendered.outcome == .exited(0) else { throw .corrupt }
        return try Recognition.page(picture)
            .scaled(by: PDFRendering.pointsPerInch / resolution, number: number)
    }
}

/// What `pdfinfo` says.
struct PDFInformation {
    let pageCount: Int
    let title: String?

    /// Titles are made by programs, and some put the whole document there.
    private static let titleLengthMax = 200

    static func ofDocument() throws(ExtractionFailure) -> PDFInformation {
        let result = try DocumentTool.run(
            "pdfinfo", ["-enc", "UTF-8", DocumentTool.document], outputByteCountMax: 1 << 20)
        if result.outcome != .exited(0) {
            throw result.complaint.contains("Incorrect password") ? .encrypted : .corrupt
        }
        let text = String(decoding: result.output, as: UTF8.self)
        // A title may have lines that look like ours; they come before.
        guard let pageCount = values(of: "Pages", in: text).last.flatMap({ Int($0) }), pageCount > 0
        else { throw .corrupt }
        let title = values(of: "Title", in: text).first.map { TextDecoding.cleaned($0) }
        return PDFInformation(
            pageCount: pageCount,
            title: title.flatMap { $0.isEmpty || $0.count > titleLengthMax ? nil : $0 })
    }

    /// In points, as the page is shown; nil when there is no such page.
    static func size(ofPage number: Int) throws(ExtractionFailure) -> (Double, Double)? {
        guard number <= (try ofDocument()).pageCount else { return nil }
        let result = try DocumentTool.run(
            "pdfinfo", ["-f", "\(number)", "-l", "\(number)", DocumentTool.document],
            outputByteCountMax: 1 << 20)
        let text = String(decoding: result.output, as: UTF8.self)
        let words =
            text.split(separator: "\n").last { $0.hasPrefix("Page") && $0.contains("size:") }?
            .split(separator: " ") ?? []
        guard let place = words.firstIndex(of: "size:"), words.count > place + 3,
            let width = Double(words[place + 1]), let height = Double(words[place + 3]),
            width > 0, height > 0
        else { throw .corrupt }
        return (width, height)
    }

    private static func values(of key: String, in text: String) -> [String] {
        text.split(separator: "\n").filter { $0.hasPrefix(key + ":") }
            .map { String($0.dropFirst(key.count + 1).drop { $0 == " " }) }
    }
}

enum PDFRendering {
    static let pointsPerInch = 72.0

    /// Pixels to the inch: as many as wanted, if the page has not too many then.
    static func resolution(
        width: Double, height: Double, wanted: Double, pixelCountMax: Int
    ) -> Double {
        let squareInches = max(width * height / (pointsPerInch * pointsPerInch), 0.01)
        return max(
            1, min(wanted, (Double(pixelCountMax) / squareInches).squareRoot().rounded(.down)))
    }
}

import ChildProcess

/// Pictures: looked at before anything decodes them; each page made upright and grey, and recognised.
enum PictureReader {
    static func read(_ limits: ReadingLimits) throws(ExtractionFailure) -> DocumentBlocks {
        let header = try Picture.header(limits: limits)
        guard header.pages.count <= limits.recognisedPageCountMax else {
            throw .tooManyScannedPages
        }
        let recognised = try RecognisedPages.inOwnFolder()
        let numbers = 1...header.pages.count
        let pending = numbers.filter { recognised[$0] == nil }
        if !pending.isEmpty {
            return DocumentBlocks(title: nil, blocks: [], pendingPages: pending)
        }
        return DocumentBlocks(title: nil, pages: numbers.compactMap { recognised[$0] })
    }

    /// - Parameter number: 1-based.
    static func recognise(
        _ number: Int, limits: ReadingLimits
    ) throws(ExtractionFailure) -> PageLayout {
        let header = try Picture.header(limits: limits)
        let place = number - 1
        guard header.pages.indices.contains(place) else { throw .noSuchPage }
        let scale = scale(for: header.pages[place])
        let picture = "page.pgm"
        let resized = scale == 1 ? [] : ["-resize", "\(scale * 100)%"]
        try Picture.convert(
            header.format, page: place, ["-colorspace", "gray"] + resized, to: "pgm:\(picture)")
        return try Recognition.page(picture).scaled(by: 1 / scale, number: number)
    }

    /// Letters on a screen have a third of the dots that recognition wants.
    private static func scale(for size: PictureHeader.Size) -> Double {
        let wanted = max(size.width, size.height) < 1500 ? 2.0 : 1.0
        let most = (Double(Recognition.pixelCountMax) / Double(size.pixelCount)).squareRoot()
        return min(wanted, most)
    }
}

/// The document as a picture.
enum Picture {
    /// Throws for what would take too much to decode.
    static func header(limits: ReadingLimits) throws(ExtractionFailure) -> PictureHeader {
        guard let bytes = try? StandardStreams.readAll(), let header = PictureHeader(bytes) else {
            // What cannot be read at all is no picture either.
            throw .corrupt
        }
        guard header.pages.count <= limits.pageCountMax else { throw .tooManyPages }
        guard header.pages.allSatisfy({ $0.pixelCount <= limits.pixelCountMax }) else {
            throw .tooManyPixels
        }
        return header
    }

    /// One page of it, upright, on white where it is transparent.
    @discardableResult
    static func convert(
        _ format: PictureHeader.Format, page: Int, _ changes: [String], to target: String,
        outputByteCountMax: Int = 0
    ) throws(ExtractionFailure) -> [UInt8] {
        let result = try DocumentTool.run(
            "gm",
            [
                "convert", "-limit", "disk", "0", "-limit", "threads", "1",
                // Named, so that nothing else is guessed from the bytes.
                "\(format.rawValue):\(DocumentTool.document)[\(page)]", "-auto-orient",
                "-background", "white", "-flatten",
            ] + changes + [target], outputByteCountMax: outputByteCountMax)
        guard result.outcome == .exited(0) else { throw .corrupt }
        return result.output
    }
}

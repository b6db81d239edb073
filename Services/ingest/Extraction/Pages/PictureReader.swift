import ChildProcess

/// Pictures: looked at before anything decodes them, made upright and grey, then recognised.
struct PictureReader {
    let limits: ReadingLimits

    static func read(_ limits: ReadingLimits) throws(ExtractionFailure) -> DocumentBlocks {
        try PictureReader(limits: limits).read()
    }

    private func read() throws(ExtractionFailure) -> DocumentBlocks {
        let header = try Picture.header(limits: limits)
        guard header.pages.count <= limits.recognisedPageCountMax else {
            throw .tooManyScannedPages
        }
        var pages: [PageLayout] = []
        for place in header.pages.indices {
            pages.append(try recognised(header, page: place))
        }
        return try DocumentBlocks(title: nil, pages: pages, limits: limits)
    }

    private func recognised(
        _ header: PictureHeader, page place: Int
    ) throws(ExtractionFailure) -> PageLayout {
        let size = header.pages[place]
        let scale = Self.scale(for: size)
        let picture = "page.pgm"
        let resized = scale == 1 ? [] : ["-resize", "\(scale * 100)%"]
        try Picture.convert(
            header.format, page: place, ["-colorspace", "gray"] + resized, to: "pgm:\(picture)")
        return try Recognition.page(picture).scaled(by: 1 / scale, number: place + 1)
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

import ChildProcess

/// One page of a document as a PNG, for people to look at.
struct RenderedPage {
    /// Pixels of the PNG for one unit of the document's boxes: a point, or a picture's own pixel.
    let scale: Double
    let png: [UInt8]

    /// Two pixels to the point: letters of a page are readable, also on a dense screen.
    private static let resolution = 144.0
    /// An A4 page at that resolution, and a little more.
    private static let pixelCountMax = 2_200_000
    /// A pixel has three bytes, and noise cannot be packed.
    static let byteCountMax = pixelCountMax * 3 + (1 << 20)

    /// Of the document in the own folder; the page's number is 1-based.
    static func make(
        _ number: Int, of format: Extraction.Format, limits: ReadingLimits
    ) throws(ExtractionFailure) -> RenderedPage {
        switch format {
        case .pdf: try ofPDF(number)
        case .image: try ofPicture(number, limits: limits)
        default: throw .noSuchPage
        }
    }

    private static func ofPDF(_ number: Int) throws(ExtractionFailure) -> RenderedPage {
        guard let (width, height) = try PDFInformation.size(ofPage: number) else {
            throw .noSuchPage
        }
        let resolution = PDFRendering.resolution(
            width: width, height: height, wanted: Self.resolution, pixelCountMax: pixelCountMax)
        let page = "\(number)"
        let result = try DocumentTool.run(
            "pdftoppm",
            [
                "-q", "-png", "-singlefile", "-r", "\(resolution)", "-f", page, "-l", page,
                DocumentTool.document,
            ], outputByteCountMax: byteCountMax)
        guard result.outcome == .exited(0), !result.output.isEmpty else { throw .corrupt }
        return RenderedPage(
            scale: resolution / PDFRendering.pointsPerInch, png: result.output)
    }

    private static func ofPicture(
        _ number: Int, limits: ReadingLimits
    ) throws(ExtractionFailure) -> RenderedPage {
        let header = try Picture.header(limits: limits)
        guard header.pages.indices.contains(number - 1) else { throw .noSuchPage }
        let png = try Picture.convert(
            header.format, page: number - 1, ["-resize", "\(pixelCountMax)@>", "-strip"],
            to: "png:-", outputByteCountMax: byteCountMax)
        guard let made = PictureHeader(png)?.pages.first else { throw .corrupt }
        // Made upright, it may lie the other way; the longer side is the longer still.
        let size = header.pages[number - 1]
        let scale =
            Double(max(made.width, made.height)) / Double(max(size.width, size.height))
        return RenderedPage(scale: scale, png: png)
    }
}

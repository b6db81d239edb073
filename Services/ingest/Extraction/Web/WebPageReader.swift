import Markup

/// HTML and XHTML: what a page says, without what stands around it on every page of its site.
enum WebPageReader {
    /// - Parameter charset: what the page's sender says about its characters.
    static func read(
        _ bytes: [UInt8], charset: String? = nil, limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        try read(try WebEncoding.decode(bytes, declared: charset), limits: limits)
    }

    static func read(
        _ text: String, limits: ReadingLimits
    ) throws(ExtractionFailure) -> DocumentBlocks {
        let page = WebPage(limits: limits)
        do {
            try HTMLParser.parse(text, depthMax: limits.depthMax) {
                (event: HTMLParser.Event) throws(ExtractionFailure) in
                try page.take(event)
            }
        } catch {
            switch error {
            case .markup(let error): throw ExtractionFailure(error)
            case .receiver(let failure): throw failure
            }
        }
        return try page.finish()
    }
}

import Markup

/// What stands directly in an element.
enum XMLChild {
    case element(String)
    case text(String)
}

extension XMLReader {
    /// Calls for everything in the element that has just begun, up to its end. What the closure
    /// leaves unread of a child is passed over.
    func forEachChild(
        _ receive: (XMLChild) throws(ExtractionFailure) -> Void
    ) throws(ExtractionFailure) {
        let inside = depth
        while let event = try nextEvent() {
            switch event {
            case .text(let text): try receive(.text(text))
            case .end: if depth < inside { return }
            case .start(let name):
                try receive(.element(name))
                try skip(to: inside)
            }
        }
    }

    /// The child elements alone.
    func forEachElement(
        _ receive: (String) throws(ExtractionFailure) -> Void
    ) throws(ExtractionFailure) {
        try forEachChild { child throws(ExtractionFailure) in
            if case .element(let name) = child { try receive(name) }
        }
    }

    /// Every element below the one that has just begun, however deep.
    func forEachDescendant(
        _ receive: (String) throws(ExtractionFailure) -> Void
    ) throws(ExtractionFailure) {
        let inside = depth
        while let event = try nextEvent() {
            if case .start(let name) = event { try receive(name) }
            if depth < inside { return }
        }
    }

    /// All text in the element that has just begun.
    func readText() throws(ExtractionFailure) -> String {
        var text = ""
        let inside = depth
        while let event = try nextEvent() {
            if case .text(let part) = event { text += part }
            if depth < inside { break }
        }
        return text
    }

    /// Begins the outermost element: its name. A document has one.
    func readRoot() throws(ExtractionFailure) -> String {
        while let event = try nextEvent() {
            if case .start(let name) = event { return name }
        }
        throw .corrupt
    }

    private func skip(to inside: Int) throws(ExtractionFailure) {
        while depth > inside, try nextEvent() != nil {}
    }

    private func nextEvent() throws(ExtractionFailure) -> Event? {
        do {
            return try next()
        } catch {
            throw ExtractionFailure(error)
        }
    }
}

import Markup

/// Which note a text refers to.
struct WordNoteReference: Hashable {
    let isEndnote: Bool
    let id: String
}

/// The text of a Word document's footnotes and endnotes.
enum WordNotes {
    static func read(
        _ related: [OfficePackage.Relationship], in package: OfficePackage
    ) throws(ExtractionFailure) -> [WordNoteReference: String] {
        var notes: [WordNoteReference: String] = [:]
        for part in related where ["footnotes", "endnotes"].contains(part.type) {
            guard let reader = try package.findReader(part.path) else { continue }
            let isEndnote = part.type == "endnotes"
            _ = try reader.readRoot()
            try reader.forEachElement { _ throws(ExtractionFailure) in
                // The others are lines between text and notes.
                guard (reader.attribute("type") ?? "normal") == "normal",
                    let id = reader.attribute("id")
                else { return }
                notes[WordNoteReference(isEndnote: isEndnote, id: id)] = try text(reader)
            }
        }
        return notes
    }

    private static func text(_ reader: XMLReader) throws(ExtractionFailure) -> String {
        var text = InlineText()
        try reader.forEachDescendant { name throws(ExtractionFailure) in
            switch name {
            case "t": text.append(try reader.readText())
            case "p", "tab", "br": text.space()
            default: break
            }
        }
        return text.take()
    }
}

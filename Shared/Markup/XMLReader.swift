import CXML

/// Reads XML from memory piece by piece: what is read is not kept.
///
/// Nothing outside is loaded, no entity of a document's own is put in for its name, and a document
/// that declares one is refused.
package final class XMLReader {
    package enum Event: Hashable {
        /// By its local name. Attributes can be asked for until the next event.
        case start(String)
        case end
        case text(String)
    }

    /// Elements that have begun and not ended.
    package private(set) var depth = 0

    private let reader: xmlTextReaderPtr
    /// The library reads from it as long as it lives, and copies nothing.
    private let memory: UnsafeMutableRawBufferPointer
    private let depthMax: Int
    /// An element without content ends at once, which the library does not tell.
    private var isEndPending = false

    package init(_ bytes: [UInt8], depthMax: Int) throws(MarkupError) {
        XMLLibrary.start()
        guard let count = Int32(exactly: bytes.count) else { throw .malformed }
        memory = .allocate(byteCount: max(1, bytes.count), alignment: 1)
        memory.copyBytes(from: bytes)
        self.depthMax = depthMax
        let options =
            XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue
            | XML_PARSE_NOWARNING.rawValue
        guard
            let reader = xmlReaderForMemory(
                memory.baseAddress, count, nil, nil, Int32(bitPattern: options))
        else {
            memory.deallocate()
            throw .malformed
        }
        self.reader = reader
    }

    deinit {
        xmlFreeTextReader(reader)
        memory.deallocate()
    }

    /// Nil at the document's end.
    package func next() throws(MarkupError) -> Event? {
        if isEndPending {
            isEndPending = false
            return end()
        }
        while true {
            switch xmlTextReaderRead(reader) {
            case 1: break
            case 0: return nil
            default: throw failure
            }
            if let event = try currentEvent { return event }
        }
    }

    /// An attribute of the element that has just begun, by its local name.
    ///
    /// - Parameter isQualified: true wants one with a prefix (`r:id`), false one without (`id`).
    package func attribute(_ name: String, isQualified: Bool? = nil) -> String? {
        defer { xmlTextReaderMoveToElement(reader) }
        while xmlTextReaderMoveToNextAttribute(reader) == 1 {
            guard string(xmlTextReaderConstLocalName(reader)) == name else { continue }
            let hasPrefix = xmlTextReaderConstPrefix(reader) != nil
            if isQualified ?? hasPrefix == hasPrefix {
                return string(xmlTextReaderConstValue(reader))
            }
        }
        return nil
    }

    /// What the library just came upon, if it is any of ours.
    private var currentEvent: Event? {
        get throws(MarkupError) {
            switch xmlReaderTypes(UInt32(bitPattern: xmlTextReaderNodeType(reader))) {
            case XML_READER_TYPE_ELEMENT:
                guard depth < depthMax else { throw .tooDeep }
                depth += 1
                isEndPending = xmlTextReaderIsEmptyElement(reader) == 1
                return .start(string(xmlTextReaderConstLocalName(reader)))
            case XML_READER_TYPE_END_ELEMENT:
                return end()
            case XML_READER_TYPE_TEXT, XML_READER_TYPE_CDATA, XML_READER_TYPE_WHITESPACE,
                XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
                return .text(string(xmlTextReaderConstValue(reader)))
            case XML_READER_TYPE_DOCUMENT_TYPE:
                if declaresEntities { throw .malformed }
                return nil
            default:
                return nil
            }
        }
    }

    private func end() -> Event {
        depth -= 1
        return .end
    }

    private var declaresEntities: Bool {
        guard let node = xmlTextReaderCurrentNode(reader) else { return true }
        return UnsafeMutableRawPointer(node).withMemoryRebound(to: xmlDtd.self, capacity: 1) {
            $0.pointee.entities != nil || $0.pointee.pentities != nil
        }
    }

    /// The library's own limit on depth may come first, as it parses some bytes ahead; its code for
    /// it is that of any other internal error.
    private var failure: MarkupError {
        guard let message = xmlGetLastError()?.pointee.message else { return .malformed }
        return String(cString: message).hasPrefix("Excessive depth") ? .tooDeep : .malformed
    }

    private func string(_ text: UnsafePointer<xmlChar>?) -> String {
        text.map { String(cString: $0) } ?? ""
    }
}

/// The library's global state.
enum XMLLibrary {
    /// Once in a process: a `let` is.
    static func start() { _ = started }

    private static let started: Bool = {
        cxml_start()
        return true
    }()
}

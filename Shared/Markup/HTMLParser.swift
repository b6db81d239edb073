import CXML

/// Tells HTML, as it is found in the world, to a closure element by element: end tags that are left
/// out are told as well, and no tree is kept.
package enum HTMLParser {
    package enum Event: Hashable {
        /// Names are lower case.
        case start(String, attributes: [String: String])
        case end(String)
        case text(String)
    }

    /// - Parameters:
    ///   - depthMax: of elements inside one another.
    ///   - receive: stops the reading by throwing.
    package static func parse<Failure: Error>(
        _ text: String, depthMax: Int, receive: @escaping (Event) throws(Failure) -> Void
    ) throws(HTMLError<Failure>) {
        XMLLibrary.start()
        var bytes = Array(text.utf8)
        guard let count = Int32(exactly: bytes.count), let context = htmlNewParserCtxt() else {
            throw .markup(.malformed)
        }
        defer { htmlFreeParserCtxt(context) }
        let listener = HTMLListener(context: context, depthMax: depthMax) { event in
            do throws(Failure) {
                try receive(event)
                return nil
            } catch {
                return error
            }
        }
        listener.listen()
        let options =
            HTML_PARSE_NONET.rawValue | HTML_PARSE_NOERROR.rawValue
            | HTML_PARSE_NOWARNING.rawValue | HTML_PARSE_RECOVER.rawValue
        bytes.withUnsafeMutableBytes { memory in
            // No tree is built, so there is none to free.
            _ = htmlCtxtReadMemory(
                context, memory.baseAddress?.assumingMemoryBound(to: CChar.self), count, nil,
                "UTF-8", Int32(bitPattern: options))
        }
        withExtendedLifetime(listener) {}
        if listener.isTooDeep { throw .markup(.tooDeep) }
        if let failure = listener.failure as? Failure { throw .receiver(failure) }
    }
}

/// The parser's own failure, or what the receiver threw.
package enum HTMLError<Receiver: Error>: Error {
    case markup(MarkupError)
    case receiver(Receiver)
}

/// What the library calls, by way of the context's user data.
final class HTMLListener {
    private(set) var failure: (any Error)?
    private(set) var isTooDeep = false

    private let context: htmlParserCtxtPtr
    private let depthMax: Int
    private let receive: (HTMLParser.Event) -> (any Error)?
    private var depth = 0

    init(
        context: htmlParserCtxtPtr, depthMax: Int,
        receive: @escaping (HTMLParser.Event) -> (any Error)?
    ) {
        self.context = context
        self.depthMax = depthMax
        self.receive = receive
    }

    /// This must outlive the parsing.
    func listen() {
        var callbacks = xmlSAXHandler()
        callbacks.startElement = { listener, name, attributes in
            guard let name else { return }
            HTMLListener.at(listener)?.start(
                String(cString: name), HTMLListener.dictionary(attributes))
        }
        callbacks.endElement = { listener, name in
            guard let name else { return }
            HTMLListener.at(listener)?.end(String(cString: name))
        }
        callbacks.characters = { HTMLListener.at($0)?.text($1, $2) }
        callbacks.cdataBlock = { HTMLListener.at($0)?.text($1, $2) }
        callbacks.ignorableWhitespace = { HTMLListener.at($0)?.text($1, $2) }
        context.pointee.sax.pointee = callbacks
        context.pointee.userData = Unmanaged.passUnretained(self).toOpaque()
    }

    private static func at(_ listener: UnsafeMutableRawPointer?) -> HTMLListener? {
        listener.map { Unmanaged<HTMLListener>.fromOpaque($0).takeUnretainedValue() }
    }

    private func start(_ name: String, _ attributes: [String: String]) {
        depth += 1
        if depth > depthMax {
            isTooDeep = true
            stop()
        } else {
            tell(.start(name, attributes: attributes))
        }
    }

    private func end(_ name: String) {
        depth -= 1
        tell(.end(name))
    }

    private func text(_ start: UnsafePointer<xmlChar>?, _ count: Int32) {
        let bytes = UnsafeBufferPointer(start: start, count: Int(count))
        tell(.text(String(decoding: bytes, as: UTF8.self)))
    }

    private func tell(_ event: HTMLParser.Event) {
        guard failure == nil, !isTooDeep else { return }
        failure = receive(event)
        if failure != nil { stop() }
    }

    private func stop() { xmlStopParser(context) }

    /// Names and values by turns, ended by a null.
    private static func dictionary(
        _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    ) -> [String: String] {
        var dictionary: [String: String] = [:]
        guard var next = attributes else { return dictionary }
        while let name = next[0] {
            dictionary[String(cString: name)] = next[1].map { String(cString: $0) } ?? ""
            next += 2
        }
        return dictionary
    }
}

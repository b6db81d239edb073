/// Lets no link and no image through that the sources do not have, wherever the text is cut. Pure.
///
/// A document that gives orders may make a model write an address with the member's words in it,
/// which a browser fetches as soon as it shows the answer. So an address passes only if it stands in
/// a source as it is. Of an unknown link its words stay, of a bare address an ellipsis. What would
/// be a tag of HTML, but for those that only form text, or a definition of a link, gets a space that
/// keeps it from being one.
///
/// Text passes at once; held back is what may be the beginning of such a thing, 2 KiB at most.
struct LinkFilter: Sendable {
    private static let heldByteCountMax = 2048
    /// Links in the words of links. Deeper ones are an ellipsis.
    private static let depthMax = 4
    private static let ellipsis = Array("…".utf8)

    private let known: KnownLinks
    private let depth: Int
    private var held: [UInt8] = []
    private var passed = Passed()

    init(known: KnownLinks) { self.init(known: known, depth: 0) }

    private init(known: KnownLinks, depth: Int) {
        self.known = known
        self.depth = depth
    }

    mutating func feed(_ text: String) -> String {
        held += text.utf8
        return settle(isEnd: false)
    }

    /// What was held back, now that nothing follows.
    mutating func finish() -> String { settle(isEnd: true) }

    /// The same, now that a source's number `[n]` follows, which goes another way.
    mutating func finishBeforeMarker() -> String {
        let rest = settle(isEnd: true)
        passed.see(UInt8(ascii: "]"))
        return rest
    }

    private enum Finding {
        /// The byte is text.
        case none
        case undecided
        case replaced(by: [UInt8], end: Int)
    }

    private mutating func settle(isEnd: Bool) -> String {
        let syntax = LinkSyntax(held)
        var output: [UInt8] = []
        var position = 0
        scanning: while position < held.count {
            switch finding(at: position, in: syntax) {
            case .none:
                passed.append(held[position], to: &output)
                position += 1
            case .replaced(let bytes, let end):
                passed.append(bytes, insteadOf: held[position..<end], to: &output)
                position = end
            case .undecided:
                guard isEnd || held.count - position > Self.heldByteCountMax else { break scanning }
                position = giveUp(at: position, syntax, &output)
            }
        }
        held.removeFirst(position)
        return String(decoding: output, as: UTF8.self)
    }

    /// What has no end. Where it goes on.
    private mutating func giveUp(
        at position: Int, _ syntax: LinkSyntax, _ output: inout [UInt8]
    ) -> Int {
        let byte = held[position]
        if byte == UInt8(ascii: "]"), held.count - position > 1 {
            // A destination without end is none, and what it says goes.
            passed.append([byte], insteadOf: held[position...], to: &output)
            return held.count
        }
        if byte == UInt8(ascii: "<"), held.count - position > 1 {
            passed.append(Array("< ".utf8), insteadOf: held[position...position], to: &output)
            return position + 1
        }
        let endings = [
            syntax.url(at: position, isEnd: true), syntax.mailDomain(at: position, isEnd: true),
        ]
        for case .found(let address, let end) in endings {
            let bytes = byte == UInt8(ascii: "@") ? shownMail(address) : shown(address)
            passed.append(bytes, insteadOf: held[position..<end], to: &output)
            return end
        }
        passed.append(byte, to: &output)
        return position + 1
    }

    private func finding(at position: Int, in syntax: LinkSyntax) -> Finding {
        switch held[position] {
        case UInt8(ascii: "!"):
            guard position + 1 < held.count else { return .undecided }
            guard held[position + 1] == UInt8(ascii: "[") else { return .none }
            return link(at: position + 1, from: position, syntax)
        case UInt8(ascii: "["): return link(at: position, from: position, syntax)
        case UInt8(ascii: "]"): return danglingDestination(at: position, syntax)
        case UInt8(ascii: "<"): return tag(at: position, syntax)
        case UInt8(ascii: "@"): return mail(at: position, syntax)
        case UInt8(ascii: "h"), UInt8(ascii: "H"), UInt8(ascii: "w"), UInt8(ascii: "W"),
            UInt8(ascii: "f"), UInt8(ascii: "F"):
            switch syntax.url(at: position, isEnd: false) {
            case .none: return .none
            case .undecided: return .undecided
            case .found(let address, let end): return .replaced(by: shown(address), end: end)
            }
        default: return .none
        }
    }

    /// `[words](destination)`, and images.
    private func link(at bracket: Int, from start: Int, _ syntax: LinkSyntax) -> Finding {
        switch syntax.label(at: bracket) {
        case .none: return .none
        case .undecided: return .undecided
        case .found(let label, let end):
            guard end < held.count else { return .undecided }
            guard held[end] == UInt8(ascii: "(") else { return .none }
            switch syntax.destination(at: end) {
            case .none: return .none
            case .undecided: return .undecided
            case .found(let address, let end):
                if known.contains(held[address]) {
                    let (words, endInAddress) = filtered(held[label])
                    var link = held[start..<label.lowerBound] + words
                    // What comes after the words is no part of an address in them.
                    if endInAddress { link.append(0x20) }
                    return .replaced(by: link + closing(address), end: end)
                }
                // A word in parentheses leads nowhere, and a space makes it no destination.
                guard LinkSyntax.mayLead(held[address]) else { return .none }
                return .replaced(by: filtered(held[label]).words, end: end)
            }
        }
    }

    /// The address alone: a title may say anything.
    private func closing(_ address: Range<Int>) -> [UInt8] {
        let isBracketed = held[address.lowerBound - 1] == UInt8(ascii: "<")
        let place = isBracketed ? (address.lowerBound - 1)..<(address.upperBound + 1) : address
        return Array("](".utf8) + held[place] + [UInt8(ascii: ")")]
    }

    /// Of words that were too long to be held, or had a source's number in them.
    private func danglingDestination(at position: Int, _ syntax: LinkSyntax) -> Finding {
        guard position + 1 < held.count else { return .undecided }
        guard held[position + 1] == UInt8(ascii: "(") else { return .none }
        switch syntax.destination(at: position + 1) {
        case .none: return .none
        case .undecided: return .undecided
        case .found(let address, let end):
            if known.contains(held[address]) {
                return .replaced(by: closing(address), end: end)
            }
            guard LinkSyntax.mayLead(held[address]) else { return .none }
            return .replaced(by: [held[position]], end: end)
        }
    }

    private func tag(at position: Int, _ syntax: LinkSyntax) -> Finding {
        switch syntax.plainTag(at: position) {
        case .none: .none
        case .undecided: .undecided
        case .found(let content, let end):
            content.isEmpty
                ? .replaced(by: Array("< ".utf8), end: position + 1)
                : .replaced(by: Array(held[position..<end]), end: end)
        }
    }

    private func mail(at position: Int, _ syntax: LinkSyntax) -> Finding {
        switch syntax.mailDomain(at: position, isEnd: false) {
        case .none: .none
        case .undecided: .undecided
        case .found(let domain, let end): .replaced(by: shownMail(domain), end: end)
        }
    }

    private func shown(_ address: Range<Int>) -> [UInt8] {
        known.contains(held[address]) ? Array(held[address]) : Self.ellipsis
    }

    private func shownMail(_ domain: Range<Int>) -> [UInt8] {
        let at = [UInt8(ascii: "@")]
        return known.containsMail(at: held[domain]) ? at + held[domain] : at + Self.ellipsis
    }

    private func filtered(_ words: ArraySlice<UInt8>) -> (words: [UInt8], endInAddress: Bool) {
        guard depth < Self.depthMax else { return (Self.ellipsis, false) }
        var inner = LinkFilter(known: known, depth: depth + 1)
        let text = inner.feed(String(decoding: words, as: UTF8.self)) + inner.finish()
        return (Array(text.utf8), inner.passed.isAfterAddress)
    }
}

/// The end of what was let through, so that what follows makes no link together with it.
///
/// What is taken out joins what stood around it: `ht<x>tp://…`. A space then keeps them apart, and
/// always a bracket and what would make a link of its words or a definition of them.
private struct Passed: Sendable {
    private var last: UInt8 = 0x0A
    /// Something was taken out after it.
    private var isSeam = false
    /// Of an address there is no white space yet.
    private(set) var isAfterAddress = false

    mutating func append(_ byte: UInt8, to output: inout [UInt8]) {
        if isSeam && Self.join(last, byte) || closes(before: byte) || lengthensAddress(byte) {
            output.append(0x20)
            isAfterAddress = false
        }
        output.append(byte)
        see(byte)
        isSeam = false
    }

    mutating func append(
        _ bytes: [UInt8], insteadOf original: ArraySlice<UInt8>, to output: inout [UInt8]
    ) {
        let isChanged = bytes[...] != original
        if let first = bytes.first {
            isSeam = isSeam || isChanged
            if isAfterAddress, bytes.count > 1 {
                output.append(0x20)
                see(0x20)
            }
            append(first, to: &output)
            output += bytes.dropFirst()
            for byte in bytes.dropFirst() { see(byte) }
            isAfterAddress = bytes.contains(UInt8(ascii: ":")) || bytes.contains(UInt8(ascii: "."))
        }
        isSeam = isSeam || isChanged
    }

    mutating func see(_ byte: UInt8) {
        if LinkSyntax.isSpace(byte) || byte == UInt8(ascii: "<") { isAfterAddress = false }
        last = byte
    }

    private func closes(before byte: UInt8) -> Bool {
        last == UInt8(ascii: "]") && (byte == UInt8(ascii: "(") || byte == UInt8(ascii: ":"))
    }

    /// Punctuation after an address is not taken for a part of it, but for what comes after that.
    private func lengthensAddress(_ byte: UInt8) -> Bool {
        isAfterAddress && !LinkSyntax.isSpace(byte) && !".,;:!?'*_~)]}<>\"`".utf8.contains(byte)
    }

    private static func join(_ last: UInt8, _ next: UInt8) -> Bool {
        if last == UInt8(ascii: "<") { return next > 0x20 }
        return isOfAddress(last) && isOfAddress(next)
    }

    private static func isOfAddress(_ byte: UInt8) -> Bool {
        LinkSyntax.isLetter(byte) || (0x30...0x39).contains(byte) || ":/.".utf8.contains(byte)
    }
}

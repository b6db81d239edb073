/// Takes the first section of a number format apart: what is literal says nothing about the number.
struct NumberFormatScanner {
    private(set) var digits = ""
    private(set) var isPercentage = false
    /// Exponents and fractions need other digits than the ones the format counts.
    private(set) var countsDigits = true
    private(set) var currency: String?

    private var rest: Substring.UnicodeScalarView
    /// Letters that stand for parts of dates, in order, each run once.
    private var dateParts: [Unicode.Scalar] = []
    private var isElapsed = false

    private static let currencies: Set<Unicode.Scalar> = ["€", "$", "£", "¥"]
    private static let lengthMax = 255

    init(_ code: String) {
        rest = Substring(code.unicodeScalars.prefix(Self.lengthMax)).unicodeScalars
    }

    mutating func scan() {
        while let next = rest.popFirst(), next != ";" {
            switch next {
            case "\"": for scalar in literal(until: "\"").unicodeScalars { takeCurrency(scalar) }
            case "[": takeBracket(literal(until: "]"))
            case "\\": if let literal = rest.popFirst() { takeCurrency(literal) }
            case "_", "*": _ = rest.popFirst()
            case "0", "#", "?", ".": digits.unicodeScalars.append(next)
            case "%": isPercentage = true
            case "E", "e", "/": countsDigits = false
            case "A", "a": skipDayHalf()
            case "d", "D", "m", "M", "y", "Y", "h", "H", "s", "S": takeDatePart(next)
            case "G", "g":
                // The word General has no letter that means a date.
                if rest.starts(with: "eneral".unicodeScalars) { rest = rest.dropFirst(6) }
            default: takeCurrency(next)
            }
        }
    }

    /// Nil if the number is no date. An `m` beside hours or seconds is minutes.
    var moment: NumberFormat.Moment? {
        guard !dateParts.isEmpty else { return nil }
        var moment = NumberFormat.Moment(isElapsed: isElapsed)
        for (index, part) in dateParts.enumerated() {
            switch part {
            case "y": moment.hasYear = true
            case "d": moment.hasDay = true
            case "h", "s": moment.hasTime = true
            default:
                let before = index > 0 ? dateParts[index - 1] : " "
                let after = index + 1 < dateParts.count ? dateParts[index + 1] : " "
                if before != "h", after != "s" { moment.hasMonth = true }
            }
        }
        return moment
    }

    /// The rest of `AM/PM` or `A/P`.
    private mutating func skipDayHalf() {
        for half in ["M/PM", "/P"] where rest.starts(with: half.unicodeScalars) {
            rest = rest.dropFirst(half.count)
            return
        }
    }

    private mutating func takeDatePart(_ letter: Unicode.Scalar) {
        let part = Unicode.Scalar(UInt8(letter.value) | 0x20)
        if dateParts.last != part { dateParts.append(part) }
    }

    /// `[h]` counts on, `[$€-410]` is a currency and a language, others are colours and conditions.
    private mutating func takeBracket(_ content: String) {
        switch content.lowercased() {
        case "h", "hh", "m", "mm", "s", "ss":
            isElapsed = true
            content.unicodeScalars.first.map { takeDatePart($0) }
        case let content where content.hasPrefix("$"):
            let symbol = content.dropFirst().prefix { $0 != "-" }
            if !symbol.isEmpty { currency = symbol.uppercased() }
        default: break
        }
    }

    private mutating func takeCurrency(_ scalar: Unicode.Scalar) {
        if Self.currencies.contains(scalar) { currency = String(scalar) }
    }

    private mutating func literal(until end: Unicode.Scalar) -> String {
        var text = ""
        while let next = rest.popFirst(), next != end { text.unicodeScalars.append(next) }
        return text
    }
}

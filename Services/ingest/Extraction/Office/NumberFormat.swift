import Glibc

/// How a spreadsheet shows a number (ECMA-376 part 1, 18.8.31), as far as it changes what is read:
/// dates, percentages, decimals, leading zeros and currencies. Dates become those of ISO 8601.
struct NumberFormat: Hashable {
    /// Which parts of a date and time are shown.
    struct Moment: Hashable {
        var hasYear = false
        var hasMonth = false
        var hasDay = false
        var hasTime = false
        /// Hours beyond 24 are counted on: a duration.
        var isElapsed = false

        var isDate: Bool { hasYear || hasMonth || hasDay }
    }

    private(set) var moment: Moment?
    private(set) var isPercentage = false
    /// Nil where the format leaves it to the number.
    private(set) var decimalCount: Int?
    private(set) var integerDigitCountMin = 1
    private(set) var currency: String?

    static let general = NumberFormat()

    /// Of the first section: the others are for negative numbers, zero and text.
    init(code: String) {
        var scanner = NumberFormatScanner(code)
        scanner.scan()
        currency = scanner.currency
        moment = scanner.moment
        guard moment == nil else { return }
        isPercentage = scanner.isPercentage
        guard scanner.digits.contains(where: { $0 == "0" || $0 == "#" }), scanner.countsDigits
        else { return }
        let parts = scanner.digits.split(separator: ".", omittingEmptySubsequences: false)
        integerDigitCountMin = min(20, max(1, parts[0].count { $0 == "0" }))
        decimalCount = parts.count > 1 ? min(10, parts[1].count) : 0
    }

    /// Built-in formats have no code in the file (18.8.30).
    init(builtIn id: Int) {
        switch id {
        case 1: self.init(code: "0")
        case 2: self.init(code: "0.00")
        case 3, 37, 38: self.init(code: "#,##0")
        case 4, 39, 40: self.init(code: "#,##0.00")
        case 9: self.init(code: "0%")
        case 10: self.init(code: "0.00%")
        case 14, 15, 27...31, 50...58: self.init(code: "d/m/yyyy")
        case 16: self.init(code: "d-mmm")
        case 17, 36: self.init(code: "mmm-yy")
        case 18...21, 32...35, 45, 47: self.init(code: "h:mm:ss")
        case 22: self.init(code: "d/m/yyyy h:mm")
        case 46: self.init(code: "[h]:mm:ss")
        default: self.init()
        }
    }

    private init() {}

    func text(_ value: Double, isFrom1904: Bool) -> String {
        if let moment, let text = SpreadsheetDate(value, isFrom1904: isFrom1904)?.text(moment) {
            return text
        }
        let number = Self.decimal(isPercentage ? value * 100 : value, decimalCount)
        return padded(number) + (isPercentage ? "%" : "") + (currency.map { " " + $0 } ?? "")
    }

    private func padded(_ number: String) -> String {
        let sign = number.hasPrefix("-") ? "-" : ""
        let digits = number.dropFirst(sign.count)
        let missing = integerDigitCountMin - digits.prefix { $0 != "." }.count
        return sign + String(repeating: "0", count: max(0, missing)) + digits
    }

    /// As many digits as a cell shows, which hides what binary fractions leave behind.
    private static func decimal(_ value: Double, _ decimalCount: Int?) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        if let decimalCount {
            let text = formatted("%.*f", value, decimalCount)
            return text.contains { ("1"..."9").contains($0) } ? text : text.filter { $0 != "-" }
        }
        if let whole = Int(exactly: value) { return String(whole) }
        return formatted("%.*g", value, 12)
    }

    private static func formatted(_ format: String, _ value: Double, _ digitCount: Int) -> String {
        // The longest: a sign, 15 digits, a point and 10 decimals.
        var buffer = [CChar](repeating: 0, count: 64)
        let count = withVaList([Int32(digitCount), value]) {
            vsnprintf(&buffer, buffer.count, format, $0)
        }
        let bytes = buffer.prefix(max(0, Int(count))).lazy.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A day and a time of day as spreadsheets count them: days since the end of 1899, or since 1904.
struct SpreadsheetDate: Hashable {
    private let day: Int
    private let second: Int
    private let wholeSeconds: Int

    /// The day after 31 December 9999.
    private static let dayMax = 2_958_466

    /// Nil for what no date is counted as.
    init?(_ value: Double, isFrom1904: Bool) {
        guard value >= 0, value < Double(Self.dayMax) else { return nil }
        wholeSeconds = Int((value * 86_400).rounded())
        // Excel takes 1900 for a leap year, so its first 59 days are one off.
        let offset = isFrom1904 ? 1462 : (value < 60 ? 1 : 0)
        day = wholeSeconds / 86_400 + offset
        second = wholeSeconds % 86_400
    }

    /// In the form of ISO 8601 that has the parts that the cell shows. A month alone has its year.
    func text(_ moment: NumberFormat.Moment) -> String {
        if moment.isElapsed {
            return "\(wholeSeconds / 3600):" + Self.two(wholeSeconds / 60 % 60) + seconds
        }
        let time = Self.two(second / 3600) + ":" + Self.two(second / 60 % 60) + seconds
        guard moment.isDate else { return time }
        let (year, month, dayOfMonth) = civil
        let yearAndMonth = Self.two(year / 100) + Self.two(year % 100) + "-" + Self.two(month)
        let date = moment.hasDay ? yearAndMonth + "-" + Self.two(dayOfMonth) : yearAndMonth
        return moment.hasTime ? date + " " + time : date
    }

    private var seconds: String { second % 60 == 0 ? "" : ":" + Self.two(second % 60) }

    /// Year, month and day of the proleptic Gregorian calendar, by counting in eras of 400 years
    /// that begin in March, so that the leap day is the last one.
    private var civil: (year: Int, month: Int, day: Int) {
        // Day 0 is 30 December 1899, which is 693,899 days after 1 March of year 0.
        let days = day + 693_899
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
}

import Database
import Domain
import HTTPService
import Hummingbird
import Postgres

/// `GET /admin/usage`: what members ask, upload and take of the model, by day of UTC.
struct UsageRoutes: Sendable {
    let pool: PostgresPool

    private static let pageSize = PageSize(200, most: 500)
    private static let userLengthMax = 255

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("admin/usage", use: usage)
    }

    private func usage(_ request: Request, context: ServiceContext) async throws -> Response {
        let (filter, paging) = (try Self.filter(request), try Paging(request, Self.pageSize))
        let place = try paging.place { Self.place($0) }
        var details: [String: String] = [:]
        details["user"] = filter.user?.rawValue
        details["from"] = filter.firstDay
        details["to"] = filter.lastDay
        return try await pool.transaction { [details] transaction in
            let store = DailyUsageStore(transaction)
            let total = try store.total(filter)
            let page = Page(
                try store.list(
                    filter, after: place, offset: paging.offset, limit: paging.rowCountMax),
                paging, total: total.rowCount, place: { "\($0.day):\($0.user.rawValue)" }
            ) { DailyUsageBody(usage: $0) }
            // What cannot be written down is not shown.
            try AuditStore(transaction).record(.usageViewed, "", details, by: context.author)
            return try JSONResponse.make(.ok, UsagePage(page: page, total: total))
        }
    }

    private static func filter(_ request: Request) throws -> DailyUsageStore.Filter {
        var filter = DailyUsageStore.Filter()
        filter.firstDay = try day(request, "from")
        filter.lastDay = try day(request, "to")
        if let user = try request.parameter("user") {
            guard user.unicodeScalars.count <= userLengthMax else {
                throw Problem.invalid("/user", "At most \(userLengthMax) characters.")
            }
            filter.user = User.ID(rawValue: user)
        }
        return filter
    }

    private static func day(_ request: Request, _ name: String) throws -> String? {
        guard let text = try request.parameter(name) else { return nil }
        guard Day.isOne(text) else {
            throw Problem.invalid("/\(name)", "`\(name)` must be a day such as 2026-11-27.")
        }
        return text
    }

    private static func place(_ text: String) -> DailyUsageStore.Place? {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, Day.isOne(String(parts[0])),
            !parts[1].unicodeScalars.contains("\0")
        else { return nil }
        return DailyUsageStore.Place(
            day: String(parts[0]), user: User.ID(rawValue: String(parts[1])))
    }
}

/// Days of the calendar as ISO 8601 has them: `2026-11-27`.
enum Day {
    static func isOne(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]),
            let day = number(bytes[8..<10]), year > 0
        else { return false }
        return day > 0 && day <= dayCount(year, month)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static func dayCount(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 2:
            year.isMultiple(of: 4) && !year.isMultiple(of: 100) || year.isMultiple(of: 400)
                ? 29 : 28
        case 4, 6, 9, 11: 30
        case 1...12: 31
        default: 0
        }
    }
}

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
            filter.user = User.ID(
                rawValue: try Problem.requireShort(user, "/user", countMax: userLengthMax))
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

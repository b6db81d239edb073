package import Domain
package import Postgres

/// What members ask, upload and take of the model, by day of UTC. Figures of a day stay when what they
/// count is deleted; they go when their member is erased.
package struct DailyUsageStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    /// What to tell; nil is no condition. Days are `2026-11-27`, checked by the caller.
    package struct Filter: Sendable {
        package var user: User.ID?
        package var firstDay: String?
        package var lastDay: String?

        package init(user: User.ID? = nil, firstDay: String? = nil, lastDay: String? = nil) {
            self.user = user
            self.firstDay = firstDay
            self.lastDay = lastDay
        }

        fileprivate var condition: SQL {
            var conditions: [SQL] = ["tenant_id = \(Tenant.only)"]
            if let user { conditions.append("user_id = \(user)") }
            if let firstDay { conditions.append("day >= \(firstDay)::date") }
            if let lastDay { conditions.append("day <= \(lastDay)::date") }
            return SQL.joined(conditions, by: " AND ")
        }
    }

    /// A row's place in the list.
    package struct Place: Sendable, Hashable {
        package let day: String
        package let user: User.ID

        package init(day: String, user: User.ID) {
            self.day = day
            self.user = user
        }
    }

    /// The newest day first, and in a day by member.
    package func list(
        _ filter: Filter, after place: Place?, offset: Int, limit: Int
    ) throws(PostgresError) -> [DailyUsage] {
        var following: SQL = ""
        if let place {
            following = """
                AND (day < \(place.day)::date
                     OR day = \(place.day)::date AND user_id COLLATE "C" > \(place.user))
                """
        }
        let rows = try session.run(
            """
            SELECT user_id, day::text AS day, prompt_token_count AS prompt,
                   completion_token_count AS completion, question_count AS questions,
                   upload_count AS uploads, uploaded_byte_count AS bytes
            FROM token_usage WHERE \(sql: filter.condition) \(sql: following)
            ORDER BY day DESC, user_id COLLATE "C" LIMIT \(limit) OFFSET \(offset)
            """)
        var days: [DailyUsage] = []
        for row in rows {
            days.append(
                DailyUsage(
                    user: try row.get("user_id"), day: try row.get("day"),
                    figures: try UsageFigures(row)))
        }
        return days
    }

    package func total(_ filter: Filter) throws(PostgresError) -> UsageTotal {
        let rows = try session.run(
            """
            SELECT count(*) AS total, count(DISTINCT user_id) AS users,
                   coalesce(sum(prompt_token_count), 0)::bigint AS prompt,
                   coalesce(sum(completion_token_count), 0)::bigint AS completion,
                   coalesce(sum(question_count), 0)::bigint AS questions,
                   coalesce(sum(upload_count), 0)::bigint AS uploads,
                   coalesce(sum(uploaded_byte_count), 0)::bigint AS bytes
            FROM token_usage WHERE \(sql: filter.condition)
            """)
        guard let row = rows.first else { throw .undecodable(column: "total") }
        return UsageTotal(
            rowCount: try row.get("total"), userCount: try row.get("users"),
            figures: try UsageFigures(row))
    }

    /// A file that was kept.
    package func countUpload(of byteCount: Int, by user: User.ID) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO token_usage (tenant_id, user_id, day, upload_count, uploaded_byte_count)
            VALUES (\(Tenant.only), \(user), (now() AT TIME ZONE 'UTC')::date, 1, \(byteCount))
            ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET
                upload_count = token_usage.upload_count + 1,
                uploaded_byte_count = token_usage.uploaded_byte_count
                    + excluded.uploaded_byte_count
            """)
    }
}

package struct UsageFigures: Sendable, Hashable {
    package let promptTokenCount: Int
    package let completionTokenCount: Int
    package let questionCount: Int
    package let uploadCount: Int
    package let uploadedByteCount: Int

    fileprivate init(_ row: Row) throws(PostgresError) {
        promptTokenCount = try row.get("prompt")
        completionTokenCount = try row.get("completion")
        questionCount = try row.get("questions")
        uploadCount = try row.get("uploads")
        uploadedByteCount = try row.get("bytes")
    }
}

/// One member's day.
package struct DailyUsage: Sendable, Hashable {
    package let user: User.ID
    package let day: String
    package let figures: UsageFigures
}

package struct UsageTotal: Sendable, Hashable {
    package let rowCount: Int
    package let userCount: Int
    package let figures: UsageFigures
}

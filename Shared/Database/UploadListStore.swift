package import Domain
package import Postgres

/// All users' uploads in a list, for operators. Tombstoned ones are nobody's any more.
package struct UploadListStore {
    private let session: Session

    package init(_ session: Session) { self.session = session }

    package enum Scope: String, Sendable, CaseIterable {
        case user
        case system
    }

    /// What a content type is to be.
    package enum ContentType: Sendable, Hashable {
        case exactly(String)
        case beginning(String)
    }

    /// What to list; nil is no condition.
    package struct Filter: Sendable {
        package var user: User.ID?
        package var status: Attachment.Status?
        package var scope: Scope?
        package var contentType: ContentType?
        /// In the file's name, in any case.
        package var text: String?
        /// Seconds of Unix time: from the first on, before the second.
        package var createdFrom: Int?
        package var createdBefore: Int?

        package init() {}

        fileprivate var condition: SQL {
            var conditions: [SQL] = ["a.tenant_id = \(Tenant.only)", "d.deleted_at IS NULL"]
            if let user { conditions.append("a.owner_user_id = \(user)") }
            if let status { conditions.append("a.status = \(status)") }
            switch scope {
            case .user: conditions.append("a.owner_user_id IS NOT NULL")
            case .system: conditions.append("a.owner_user_id IS NULL")
            case nil: break
            }
            switch contentType {
            case .exactly(let type): conditions.append("a.content_type = \(type)")
            case .beginning(let type): conditions.append("starts_with(a.content_type, \(type))")
            case nil: break
            }
            if let text {
                conditions.append("position(lower(\(text)::text) IN lower(a.filename)) > 0")
            }
            if let createdFrom {
                conditions.append("a.created_at >= to_timestamp(\(Double(createdFrom)))")
            }
            if let createdBefore {
                conditions.append("a.created_at < to_timestamp(\(Double(createdBefore)))")
            }
            return SQL.joined(conditions, by: " AND ")
        }
    }

    package enum SortKey: String, Sendable, CaseIterable {
        case createdAt = "created_at"
        case size
        case filename
        case status
        case type
        case user
        case chunkCount = "chunk_count"

        /// Texts are told apart by their beginnings, so that a place in the list stays short.
        fileprivate var expression: SQL {
            switch self {
            // The order of arrival: times are not ordered.
            case .createdAt: "a.sequence"
            case .size: "a.byte_count"
            case .filename: "left(lower(a.filename), 60) COLLATE \"C\""
            case .status: "a.status COLLATE \"C\""
            case .type: "left(a.content_type, 60) COLLATE \"C\""
            case .user: "left(coalesce(a.owner_user_id, ''), 60) COLLATE \"C\""
            case .chunkCount: "a.chunk_count::bigint"
            }
        }

        package var isNumber: Bool {
            self == .createdAt || self == .size || self == .chunkCount
        }
    }

    package struct Order: Sendable, Hashable {
        package let key: SortKey
        package let isDescending: Bool

        package init(_ key: SortKey, isDescending: Bool) {
            self.key = key
            self.isDescending = isDescending
        }

        package static let newestFirst = Order(.createdAt, isDescending: true)
    }

    /// A row's place in the list: what it is sorted by, and among equals its arrival.
    package struct Place: Sendable, Hashable {
        package let key: String
        package let sequence: Int

        package init(key: String, sequence: Int) {
            self.key = key
            self.sequence = sequence
        }
    }

    package func list(
        _ filter: Filter, by order: Order, after place: Place?, offset: Int, limit: Int
    ) throws(PostgresError) -> [(attachment: Attachment, place: Place)] {
        let expression = order.key.expression
        let direction: SQL = order.isDescending ? "DESC" : "ASC"
        var following: SQL = ""
        if let place {
            let key: SQL =
                order.key.isNumber ? "(\(place.key)::text)::bigint" : "\(place.key)::text"
            let comparison: SQL = order.isDescending ? "<" : ">"
            following = """
                AND (\(sql: expression), a.sequence) \(sql: comparison)
                    (\(sql: key), \(place.sequence)::bigint)
                """
        }
        let rows = try session.run(
            """
            SELECT a.*, (\(sql: expression))::text AS sort_key FROM attachments a
            JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id
            WHERE \(sql: filter.condition) \(sql: following)
            ORDER BY \(sql: expression) \(sql: direction), a.sequence \(sql: direction)
            LIMIT \(limit) OFFSET \(offset)
            """)
        var listed: [(attachment: Attachment, place: Place)] = []
        for row in rows {
            let attachment = try Attachment(row)
            listed.append(
                (
                    attachment,
                    Place(key: try row.get("sort_key"), sequence: attachment.sequence)
                ))
        }
        return listed
    }

    /// How many there are, and their bytes together.
    package func total(
        _ filter: Filter
    ) throws(PostgresError) -> (count: Int, byteCount: Int) {
        let rows = try session.run(
            """
            SELECT count(*) AS total, coalesce(sum(a.byte_count), 0)::bigint AS bytes
            FROM attachments a JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id
            WHERE \(sql: filter.condition)
            """)
        guard let row = rows.first else { throw .undecodable(column: "total") }
        return (try row.get("total"), try row.get("bytes"))
    }
}

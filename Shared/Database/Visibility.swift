package import Domain
package import Postgres

/// What a principal may see: the one predicate that every read of documents carries.
package enum Visibility {
    /// A condition on `alias`, a row of `documents`. No source kinds: nothing.
    package static func documents(
        for principal: Principal, alias: String = "d",
        sources: Set<SourceKind> = Set(SourceKind.allCases)
    ) -> SQL {
        // The alias is a literal of our code; a binding cannot stand for a name.
        let row = SQL(stringLiteral: alias)
        var kinds: [SQL] = []
        if sources.contains(.mine) {
            kinds.append(
                "(\(sql: row).kind = 'upload' AND \(sql: row).owner_user_id = \(principal.user))")
        }
        if sources.contains(.shared) {
            kinds.append("(\(sql: row).kind = 'upload' AND \(sql: row).owner_user_id IS NULL)")
        }
        if sources.contains(.training) { kinds.append("\(sql: row).kind = 'training'") }
        guard !kinds.isEmpty else { return "false" }
        return """
            \(sql: row).tenant_id = \(principal.tenant) AND \(sql: row).deleted_at IS NULL
            AND (\(sql: SQL.joined(kinds, by: " OR ")))
            """
    }
}

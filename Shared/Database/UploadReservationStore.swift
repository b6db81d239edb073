package import Domain
internal import FoundationEssentials
package import Postgres

/// An upload whose bytes are on their way.
package struct UploadReservation: Sendable {
    package typealias ID = Identifier<UploadReservation>
}

/// The right of an upload to land. Changes to what one member has take turns.
package struct UploadReservationStore {
    private let session: Transaction
    private let principal: Principal

    package init(_ transaction: Transaction, for principal: Principal) {
        session = transaction
        self.principal = principal
    }

    /// Until the transaction ends nobody else changes what this member has.
    package func lock() throws(PostgresError) { try MemberLock.take(principal, in: session) }

    package func insert(
        _ id: UploadReservation.ID, lifetimeSeconds: Int
    ) throws(PostgresError) {
        try session.run(
            """
            INSERT INTO upload_reservations (tenant_id, id, user_id, expires_at)
            VALUES (\(principal.tenant), \(id), \(principal.user),
                    now() + make_interval(secs => \(Double(lifetimeSeconds))))
            """)
    }

    /// Uploads that are on their way will not land.
    package func deleteAll() throws(PostgresError) {
        try session.run(
            """
            DELETE FROM upload_reservations
            WHERE tenant_id = \(principal.tenant) AND user_id = \(principal.user)
            """)
    }

    /// False when it was taken away: the member has been erased since.
    @discardableResult
    package func delete(_ id: UploadReservation.ID) throws(PostgresError) -> Bool {
        try !session.run(
            """
            DELETE FROM upload_reservations
            WHERE tenant_id = \(principal.tenant) AND id = \(id) RETURNING id
            """
        ).isEmpty
    }
}

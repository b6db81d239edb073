import Database
import Domain
import FoundationEssentials
import TestSupport
import Testing

@testable import Postgres

@Suite("SQL")
struct StatementTests {
    @Test("is text with numbered holes; values are never pasted in")
    func binds() {
        let name = "Robert'); DROP TABLE documents; --"
        let sql: SQL = "SELECT \(name), \(3) WHERE \(Bool?.none)"
        #expect(sql.text == "SELECT $1, $2 WHERE $3")
        #expect(sql.values.map(\.type) == [25, 20, 16])
        #expect(sql.values.last?.bytes == nil)
    }

    @Test("renumbers the values of fragments")
    func splices() {
        let condition: SQL = "a = \(1) AND b = \(2)"
        let sql: SQL = "SELECT \(0) WHERE \(sql: condition) LIMIT \(3)"
        #expect(sql.text == "SELECT $1 WHERE a = $2 AND b = $3 LIMIT $4")
        #expect(SQL.joined(["x = \(1)", "y = \(2)"], by: " OR ").text == "x = $1 OR y = $2")
        #expect(SQL.joined([], by: " OR ").text == "")
    }

    @Test("sends hostile text as a value")
    func refusesInjection() async throws {
        let hostile = "'; DROP TABLE documents; -- \\ \" $1 \u{1F41D}"
        try await withDatabase { pool in
            let echoed = try await pool.read { session in
                try session.run("SELECT \(hostile) AS echo").first?.get("echo", as: String.self)
            }
            #expect(echoed == hostile)
            let count = try await pool.read { session in
                try session.run("SELECT count(*) AS n FROM documents WHERE title = \(hostile)")
                    .first?.get("n", as: Int.self)
            }
            #expect(count == 0)
        }
    }

    @Test("brings every type of value there and back")
    func roundTrips() async throws {
        try await withDatabase { pool in
            try await pool.read { session in
                try expectRoundTrip("grüß Gott, città \u{0}".replacing("\u{0}", with: ""), session)
                try expectRoundTrip("", session)
                try expectRoundTrip(Int.min, session)
                try expectRoundTrip(Int32(-7), session)
                try expectRoundTrip(true, session)
                try expectRoundTrip(-0.1, session)
                try expectRoundTrip(UUID(), session)
                try expectRoundTrip(Date(timeIntervalSince1970: 1_700_000_000.25), session)
                try expectRoundTrip(Date(timeIntervalSince1970: -1), session)
                try expectRoundTrip([UInt8](0...255), session)
                try expectRoundTrip([UInt8](), session)
                try expectRoundTrip([Float(1.5), -0.001, .infinity], session)
                try expectRoundTrip([Double.pi], session)
                try expectRoundTrip(["a,b", "\"{}\"", ""], session)
                try expectRoundTrip([String](), session)
                try expectRoundTrip([UUID(), UUID()], session)
                try expectRoundTrip([Int.max, 0], session)
                try expectRoundTrip(Document.ID(), session)
                try expectRoundTrip([Document.ID()], session)
                try expectRoundTrip(User.ID(rawValue: "sub|1"), session)
                try expectRoundTrip(Attachment.Status.indexed, session)
                let index = IndexDescription(
                    passageModel: "p", questionModel: "q", dimensionCount: 3,
                    chunkingVersion: "1", analysisVersion: "1")
                let row = try session.run("SELECT \(JSON(index)) AS value").first
                #expect(try row?.get("value", as: JSON<IndexDescription>.self).value == index)
            }
        }
    }

    private func expectRoundTrip<Value: PostgresValue & Equatable>(
        _ value: Value, _ session: Session
    ) throws {
        // The second time prepares it, the third time uses what is prepared.
        for _ in 1...3 {
            let row = try session.run("SELECT \(value) AS value, \(Value?.none) AS nothing").first
            #expect(try row?.get("value", as: Value.self) == value)
            #expect(try row?.find("nothing", as: Value.self) == nil)
        }
    }

    @Test("reads the server's numbers whatever their width")
    func readsNumbers() async throws {
        try await withDatabase { pool in
            let row = try #require(
                try await pool.read { session in
                    try session.run(
                        """
                        SELECT 1::int2 AS small, 2::int4 AS middle, sum(3) AS total,
                               12345678.0625::numeric AS fraction, -0.001::numeric AS tiny,
                               0::numeric AS zero, 1e20::numeric AS huge, 1.5::float4 AS single
                        """
                    ).first
                })
            #expect(try row.get("small", as: Int.self) == 1)
            #expect(try row.get("middle", as: Int.self) == 2)
            #expect(try row.get("total", as: Int.self) == 3)
            #expect(try row.get("fraction", as: Double.self) == 12_345_678.0625)
            #expect(try row.get("tiny", as: Double.self) == -0.001)
            #expect(try row.get("zero", as: Int.self) == 0)
            #expect(try row.get("single", as: Double.self) == 1.5)
            #expect(throws: PostgresError.undecodable(column: "huge")) {
                try row.get("huge", as: Int.self)
            }
        }
    }

    @Test("says which column does not hold what was asked for")
    func refusesWrongTypes() async throws {
        try await withDatabase { pool in
            let row = try #require(
                try await pool.read { try $0.run("SELECT 'x' AS text, NULL::int AS nothing").first }
            )
            #expect(throws: PostgresError.undecodable(column: "text")) {
                try row.get("text", as: Int.self)
            }
            #expect(throws: PostgresError.undecodable(column: "nothing")) {
                try row.get("nothing", as: Int.self)
            }
            #expect(throws: PostgresError.undecodable(column: "missing")) {
                try row.find("missing", as: Int.self)
            }
        }
    }

    @Test("refused by the server: says the state and the constraint")
    func reportsRefusals() async throws {
        try await withDatabase { pool in
            let id = Document.ID()
            let insert: @Sendable (Session) throws -> Void = { session in
                try session.run(
                    "INSERT INTO documents (id, kind, title) VALUES (\(id), 'upload', 't')")
            }
            try await pool.read(insert)
            let error = await #expect(throws: PostgresError.self) { try await pool.read(insert) }
            #expect(error?.isDuplicate(of: "documents_pkey") == true)
        }
    }
}

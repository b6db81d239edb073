import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Postgres

@testable import Ingest

extension TestClientProtocol {
    func upload(
        _ content: String, named filename: String, query: String = "", headers: HTTPFields
    ) async throws -> TestResponse {
        try await upload(
            Array(content.utf8), named: filename, query: query, headers: headers)
    }

    func upload(
        _ content: [UInt8], named filename: String, query: String = "", headers: HTTPFields
    ) async throws -> TestResponse {
        try await post(
            form(content, field: "file", filename: filename), to: "/upload\(query)",
            headers: headers)
    }

    /// A form's bytes.
    func post(
        _ form: [UInt8], to path: String = "/upload", headers: HTTPFields
    ) async throws -> TestResponse {
        try await execute(
            uri: path, method: .post,
            headers: headers + [.contentType: "multipart/form-data; boundary=XyZ"],
            body: ByteBuffer(bytes: form))
    }
}

func form(_ content: [UInt8], field: String, filename: String) -> [UInt8] {
    let head = "--XyZ\r\nContent-Disposition: form-data; name=\"\(field)\"; "
    return Array((head + "filename=\"\(filename)\"\r\n\r\n").utf8) + content
        + Array("\r\n--XyZ--\r\n".utf8)
}

func + (one: HTTPFields, more: HTTPFields) -> HTTPFields {
    var fields = one
    for field in more { fields[field.name] = field.value }
    return fields
}

extension TestResponse {
    func json() throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(body.readableBytesView))
        return object as? [String: Any] ?? [:]
    }
}

extension IngestWorld {
    func rowCount(of tables: [SQL]) async throws -> Int {
        try await ingest.pool.read { session in
            try tables.reduce(0) { count, table in
                try count
                    + (session.run("SELECT count(*) AS n FROM \(sql: table)").first?.get("n") ?? 0)
            }
        }
    }

    /// For tests of routes, where nothing works off what they enqueue.
    func cancelAllJobs() async throws {
        try await ingest.pool.read { session in
            try session.run("UPDATE jobs SET state = 'cancelled', finished_at = now()")
        }
    }
}

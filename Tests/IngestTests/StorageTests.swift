import Database
import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import ObjectStorage
import Postgres
import ServiceRuntime
import StorageSettings
import TestSupport
import Testing

@testable import Ingest

@Suite("Storage of uploads")
struct StorageTests {
    private static let key = Data((0..<32).map { $0 &* 7 }).base64EncodedString()

    /// Ingest that keeps uploads in the test server, sealed.
    private func sealedS3(_ prefix: String) throws -> [String: String] {
        [
            "UPLOADS_URI": "s3://\(try environment("TEST_S3_BUCKET"))/\(prefix)",
            "S3_ENDPOINT_URL": try environment("TEST_S3_URL"),
            "S3_ACCESS_KEY_ID": try environment("TEST_S3_ACCESS_KEY_ID"),
            "S3_SECRET_ACCESS_KEY": try environment("TEST_S3_SECRET_ACCESS_KEY"),
            "UPLOADS_ENCRYPTION_KEY": Self.key,
        ]
    }

    @Test("keeps an upload sealed in S3, indexes it, gives back any part, and leaves nothing of it")
    func wholeLifeInS3() async throws {
        let settings = try sealedS3("ingest-\(UUID().uuidString.lowercased())")
        try await IngestWorld.make(settings: settings) { world in
            let storage = world.ingest.storage
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let text = "# Meters\n\nMeters are read every quarter of an hour.\n"
                    let item = try await client.upload(text, named: "a.md", headers: alice).json()
                    #expect(item["status"] as? String == "indexed")
                    let uri = try #require(item["uri"] as? String)
                    let stored = try await storage.list(prefix: "", after: nil, countMax: 9)
                    #expect(stored.count == 1)
                    #expect(stored.first?.key.hasSuffix(".sealed") == true)

                    let part = try await client.execute(
                        uri: uri, method: .get, headers: alice + [.range: "bytes=2-7"])
                    #expect(part.status == .partialContent)
                    #expect(String(buffer: part.body) == "Meters")

                    let id = try #require(item["id"] as? String)
                    let gone = try await client.execute(
                        uri: "/attachments/\(id)", method: .delete, headers: alice)
                    #expect(gone.status == .ok)
                    try await world.expectAllJobsFinished()
                    #expect(try await storage.list(prefix: "", after: nil, countMax: 9) == [])
                }
            }
        }
    }

    @Test("sweeps old bytes that no row names, and nothing younger, named or not ours")
    func sweeps() async throws {
        try await IngestWorld.make { world in
            let (storage, sweep) = (world.ingest.storage, world.ingest.storageSweep)
            try await world.serving { client in
                let made = try await client.upload(
                    "text", named: "a.md", query: "?wait=0",
                    headers: try world.headers(IngestWorld.alice))
                #expect(made.status == .created)
            }
            let named = try await storage.list(prefix: "", after: nil, countMax: 9).map(\.key)
            for key in [UploadKey.new(), UploadKey.new(), "uploads/manual.pdf", "notes"] {
                try await put(key, in: storage)
            }
            let anHourAgo = Date(timeIntervalSinceNow: -3600)
            #expect(try await sweep.sweep(before: anHourAgo) == .init())
            #expect(
                try await sweep.sweep(before: .distantFuture)
                    == .init(removedCount: 2, unfinishedCount: 0))
            let rest = try await storage.list(prefix: "", after: nil, countMax: 9).map(\.key)
            #expect(Set(rest) == Set(named + ["uploads/manual.pdf", "notes"]))
            try await world.cancelAllJobs()
        }
    }

    @Test("sweeps nothing while somebody else does, nor where it may be the wrong database")
    func doesNotSweep() async throws {
        try await IngestWorld.make { world in
            let (storage, sweep) = (world.ingest.storage, world.ingest.storageSweep)
            for _ in 0..<3 { try await put(UploadKey.new(), in: storage) }
            let result = try await world.ingest.pool.withAdvisoryLock(
                StorageSweep.lock, waitMax: .zero
            ) {
                try await sweep.sweep(before: .distantFuture)
            }
            #expect(result == .some(nil))
            #expect(try await sweep.sweep(before: .distantFuture) == .init())
            #expect(try await storage.list(prefix: "", after: nil, countMax: 99).count == 3)
        }
    }

    private func put(_ key: String, in storage: any ObjectStorage) async throws {
        let bytes = AsyncStream<ByteBuffer> { stream in
            stream.yield(ByteBuffer(string: "x"))
            stream.finish()
        }
        _ = try await storage.put(key: key, bytes: bytes, byteCountMax: 1)
    }

    @Test("names every problem with its settings at once, and no value of them")
    func badSettings() throws {
        var reader = SettingsReader([
            "UPLOADS_URI": "s3://key:hidden@bucket", "S3_ENDPOINT_URL": "http://u:hidden@s3/x",
            "S3_REGION": "hid den", "S3_SECRET_ACCESS_KEY": "minioadmin",
            "UPLOADS_ENCRYPTION_KEY": "hidden,\(Self.key)",
        ])
        _ = StorageConfiguration(from: &reader, certificateFile: nil)
        let thrown = #expect(throws: SettingsError.self) { try reader.finish() }
        let error = try #require(thrown)
        for name in [
            "UPLOADS_URI", "S3_ENDPOINT_URL", "S3_REGION", "S3_ACCESS_KEY_ID",
            "S3_SECRET_ACCESS_KEY", "UPLOADS_ENCRYPTION_KEY",
        ] {
            #expect(error.problems.contains { $0.hasPrefix(name) }, "\(name)")
        }
        for value in ["hid", "minioadmin", Self.key] {
            #expect(!error.description.contains(value))
        }
    }

    @Test(
        "refuses places it does not know",
        arguments: ["ftp://x/y", "file://", "https://bucket.s3.amazonaws.com/x"])
    func badPlaces(uri: String) {
        var reader = SettingsReader(["UPLOADS_URI": uri])
        _ = StorageConfiguration(from: &reader, certificateFile: nil)
        #expect(throws: SettingsError.self) { try reader.finish() }
    }

    @Test("takes S3 with Amazon's addresses, and several keys")
    func goodSettings() throws {
        let other = Data((0..<32).map { $0 &* 11 }).base64EncodedString()
        var reader = SettingsReader([
            "UPLOADS_URI": "s3://my-bucket/uploads/", "S3_ACCESS_KEY_ID": "AKID",
            "S3_SECRET_ACCESS_KEY": "long enough", "S3_REGION": "eu-south-1",
            "UPLOADS_ENCRYPTION_KEY": "\(Self.key), \(other)",
        ])
        let configuration = StorageConfiguration(from: &reader, certificateFile: nil)
        try reader.finish()
        #expect(configuration.encryptionKeys.count == 2)
        guard case .s3(let location) = configuration.place else {
            Issue.record("\(configuration.place)")
            return
        }
        #expect("\(location)" == "s3://my-bucket/uploads/")
    }
}

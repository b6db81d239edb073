import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Postgres
import TestSupport
import Testing

@testable import Ingest

@Suite("Exporting a member")
struct UserExportTests {
    @Test("gives their files as they came and their conversations, and nothing of others")
    func whole() async throws {
        try await IngestWorld.make { world in
            try await world.working {
                try await world.serving { client in
                    let alice = try world.headers(IngestWorld.alice)
                    let bob = try world.headers(IngestWorld.bob)
                    let made = try await client.upload(
                        "The tariff is 0,12 €.", named: "città.txt", headers: alice)
                    let id = try #require(Attachment.ID(made.json()["id"] as? String ?? ""))
                    let large = String(repeating: "Line of text. ", count: 12_000)
                    let second = try await client.upload(large, named: "b.txt", headers: alice)
                    let other = try #require(try second.json()["id"] as? String)
                    _ = try await client.upload("Of bob.", named: "bob.txt", headers: bob)
                    _ = try await world.converse("Bob?", "Bob.", by: IngestWorld.bob)
                    let talk = try await world.converse(
                        "How much?", "0,12 € [1].", by: IngestWorld.alice, about: [id])
                    let answer = try await client.execute(
                        uri: "/user/export", method: .get, headers: alice)
                    #expect(answer.headers[.contentType] == "application/zip")
                    let files = try Unpacked(answer.body).files
                    #expect(
                        Set(files.keys) == [
                            "uploads/\(id)/città.txt", "uploads/\(other)/b.txt", "uploads.json",
                            "conversations/\(talk).json", "conversations/\(talk).md",
                        ])
                    #expect(files["uploads/\(id)/città.txt"] == "The tariff is 0,12 €.")
                    #expect(files["uploads/\(other)/b.txt"] == large)
                    let list = try Self.json(files["uploads.json"]) as? [[String: Any]]
                    #expect(list?.map { $0["filename"] as? String } == ["b.txt", "città.txt"])
                    let conversation =
                        try Self.json(files["conversations/\(talk).json"]) as? [String: Any]
                    let messages = conversation?["messages"] as? [[String: Any]]
                    #expect(
                        messages?.map { $0["content"] as? String } == ["How much?", "0,12 € [1]."])
                    let sources = messages?.last?["sources"] as? [[String: Any]]
                    #expect(sources?.first?["text"] as? String == "The tariff is 0,12 €.")
                    let markdown = files["conversations/\(talk).md"] ?? ""
                    for part in ["# About: How much?", "## Answer", "- [1] città.txt"] {
                        #expect(markdown.contains(part))
                    }
                }
            }
        }
    }

    @Test("of a member who has nothing is an archive all the same")
    func nothing() async throws {
        try await IngestWorld.make { world in
            try await world.serving { client in
                let answer = try await client.execute(
                    uri: "/user/export", method: .get,
                    headers: try world.headers(IngestWorld.alice))
                #expect(try Unpacked(answer.body).files == ["uploads.json": "[]\n"])
            }
        }
    }

    @Test("is a sound archive with more entries, and farther in, than plain ZIP can count")
    func large() throws {
        let start = 5 << 30
        let file = try TemporaryFile()
        var archive = ZipWriter(after: start)
        var bytes = ByteBuffer()
        for number in 0..<66_000 {
            bytes.writeImmutableBuffer(archive.begin("\(number)", at: Date()))
            bytes.writeImmutableBuffer(try archive.add(ByteBuffer(integer: UInt8(number & 255))))
            bytes.writeImmutableBuffer(archive.end())
        }
        bytes.writeImmutableBuffer(archive.finish())
        // What stands before it is a hole, and takes no room.
        try file.write(bytes, at: start)
        let output = try file.python(
            """
            import sys, zipfile
            z = zipfile.ZipFile(sys.argv[1])
            names = z.namelist()
            print(len(names), names[-1], z.read(names[-1])[0], z.infolist()[0].header_offset)
            """)
        #expect(output == "66000 65999 \(65_999 & 255) \(start)\n")
    }

    @Test("writes times that are read as they were")
    func times() {
        let moment = Date(timeIntervalSince1970: 1_709_209_838)  // 29 February 2024, 12:30:38
        let time = DOSTime(moment)
        #expect(time.date == UInt16(44 << 9 | 2 << 5 | 29))
        #expect(time.time == UInt16(12 << 11 | 30 << 5 | 19))
        #expect(DOSTime(Date(timeIntervalSince1970: 0)).date == 1 << 5 | 1)
    }

    private static func json(_ text: String?) throws -> Any? {
        try text.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) }
    }
}

/// What another program reads from an archive, all checksums tested.
private struct Unpacked {
    let files: [String: String]

    init(_ archive: ByteBuffer) throws {
        let file = try TemporaryFile()
        try file.write(archive, at: 0)
        let output = try file.python(
            """
            import json, sys, zipfile
            z = zipfile.ZipFile(sys.argv[1])
            assert z.testzip() is None
            print(json.dumps({name: z.read(name).decode() for name in z.namelist()}))
            """)
        let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
        files = object as? [String: String] ?? [:]
    }
}

private final class TemporaryFile {
    private let url = FileManager.default.temporaryDirectory.appending(
        path: "celine-\(UUID().uuidString).zip")

    init() throws { try Data().write(to: url) }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ bytes: ByteBuffer, at offset: Int) throws {
        let handle = try FileHandle(forWritingTo: url)
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data(bytes.readableBytesView))
        try handle.close()
    }

    func python(_ script: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", script, url.path()]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }
}

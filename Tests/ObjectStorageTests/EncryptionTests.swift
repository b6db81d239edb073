import FoundationEssentials
import NIOCore
import Testing

@testable import ObjectStorage

@Suite("Encryption of stored files")
struct EncryptionTests {
    private static let frame = SealedLayout.frameByteCount
    private static let sealedFrame = frame + SealedLayout.tagByteCount
    private static let header = SealedHeader.byteCount

    private func sealed(
        _ storage: any ObjectStorage, _ keys: UInt8...
    ) -> EncryptedStorage {
        EncryptedStorage(storage, keys: keys.map { .test($0) })
    }

    @Test("stores nothing of the plain bytes, and the same bytes never alike")
    func secrecy() async throws {
        try await withFolder { folder in
            let text = String(repeating: "confidential ", count: 10_000)
            let storage = sealed(folder, 1)
            let keys = [
                try await storage.put("a", text).key, try await storage.put("b", text).key,
            ]
            #expect(keys == ["a.sealed", "b.sealed"])
            let raw = [try await folder.read(keys[0]), try await folder.read(keys[1])]
            #expect(raw[0] != raw[1])
            for bytes in raw {
                #expect(
                    !String(decoding: bytes.readableBytesView, as: UTF8.self).contains("confid"))
                #expect(
                    bytes.readableBytes
                        == SealedLayout(plainByteCount: text.utf8.count).sealedByteCount)
            }
        }
    }

    @Test(
        "fits every length",
        arguments: [0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073])
    func lengths(count: Int) async throws {
        try await withFolder { folder in
            let storage = sealed(folder, 1)
            let bytes = pattern(byteCount: count)
            let stored = try await storage.put("a", [bytes])
            #expect(stored.byteCount == count)
            #expect(try SHA256Digest.of(bytes) == stored.sha256)
            #expect(try await storage.read(stored.key) == bytes)
            let layout = try SealedLayout(
                sealedByteCount: try await folder.read(stored.key).readableBytes)
            #expect(layout.plainByteCount == count)
        }
    }

    @Test("writes with the first key and reads with all: a key is replaced by adding one before it")
    func rotation() async throws {
        try await withFolder { folder in
            let old = try await sealed(folder, 1).put("old", "sealed long ago").key
            let rotated = sealed(folder, 2, 1)
            let new = try await rotated.put("new", "sealed today").key
            #expect(try await rotated.text(old) == "sealed long ago")
            #expect(try await sealed(folder, 2).text(new) == "sealed today")
            for keys in [sealed(folder, 2), sealed(folder)] {
                await #expect { try await keys.read(old) } throws: { error in
                    guard case ObjectStorageError.sealedWithAnotherKey = error else { return false }
                    return true
                }
            }
        }
    }

    @Test("reads what was stored before there was a key, by its name alone")
    func before() async throws {
        try await withFolder { folder in
            let plain = try await sealed(folder).put("a", "from before").key
            #expect(plain == "a")
            #expect(try await sealed(folder, 1).text(plain) == "from before")
            await #expect(throws: ObjectStorageError.self) {
                try await sealed(folder).put("a.sealed", "x")
            }
        }
    }

    @Test("refuses plain bytes in a sealed object's place")
    func downgrade() async throws {
        try await withFolder { folder in
            let storage = sealed(folder, 1)
            let key = try await storage.put("a", "real").key
            try await folder.delete(key: key)
            for text in ["forged", String(repeating: "forged", count: 100)] {
                try await folder.put(key, text)
                await #expect { try await storage.read(key) } throws: { isCorrupt($0) }
            }
        }
    }

    @Test("finds every change: cut, grown, reordered, repeated, from elsewhere, one bit")
    func tampering() async throws {
        try await withFolder { folder in
            let storage = sealed(folder, 1)
            let key = try await storage.put("a", [pattern(byteCount: 3 * Self.frame)]).key
            let other = try await storage.put("b", [pattern(byteCount: 3 * Self.frame)]).key
            let good = Array(try await folder.read(key).readableBytesView)
            let foreign = Array(try await folder.read(other).readableBytesView)
            func frame(_ number: Int, of bytes: [UInt8]) -> ArraySlice<UInt8> {
                bytes[(Self.header + number * Self.sealedFrame)...].prefix(Self.sealedFrame)
            }
            let head = good.prefix(Self.header)
            let (a, b, c) = (frame(0, of: good), frame(1, of: good), frame(2, of: good))
            var changed: [(String, [UInt8])] = [
                ("cut by a frame", Array(head + a + b)),
                ("cut to an empty one", Array(head + c.suffix(16))),
                ("cut to its header", Array(head)),
                ("cut within a frame", good.dropLast(100)),
                ("cut by a byte", good.dropLast(1)),
                ("grown by a frame", Array(head + a + b + c + c)),
                ("grown by a byte", good + [0]),
                ("reordered", Array(head + b + a + c)),
                ("repeated", Array(head + a + a + c)),
                ("a frame of another object", Array(head + a + frame(1, of: foreign) + c)),
                ("another object whole", foreign),
            ]
            for offset in [0, 8, 20, Self.header, Self.header + Self.sealedFrame, good.count - 1] {
                var flipped = good
                flipped[offset] ^= 1
                changed.append(("a bit at \(offset)", flipped))
            }
            for (what, bytes) in changed {
                try await folder.delete(key: key)
                try await folder.put(key, [ByteBuffer(bytes: bytes)])
                await #expect(throws: ObjectStorageError.self, "\(what)") {
                    try await storage.read(key)
                }
            }
            try await folder.delete(key: key)
            try await folder.put(key, [ByteBuffer(bytes: good)])
            #expect(try await storage.read(key) == pattern(byteCount: 3 * Self.frame))
        }
    }

    @Test("opens only the frames that a range needs")
    func ranges() async throws {
        try await withFolder { folder in
            let storage = sealed(folder, 1)
            let bytes = pattern(byteCount: 4 * Self.frame)
            let key = try await storage.put("a", [bytes]).key
            var damaged = Array(try await folder.read(key).readableBytesView)
            damaged[Self.header + 3 * Self.sealedFrame] ^= 1
            try await folder.delete(key: key)
            try await folder.put(key, [ByteBuffer(bytes: damaged)])
            let range = (Self.frame - 5)..<(Self.frame + 5)
            #expect(
                try await storage.read(key, range)
                    == bytes.getSlice(at: range.lowerBound, length: range.count))
            await #expect { try await storage.read(key) } throws: { isCorrupt($0) }
        }
    }

    @Test("takes base64 of 32 random bytes for a key, and never prints it")
    func keys() throws {
        let text = Data((0..<32).map { $0 &* 11 }).base64EncodedString()
        let key = try #require(EncryptionKey(text))
        #expect(!"\(key)".contains(text))
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("121"))
        for bad in [
            "", "short", "not base64!", Data(repeating: 7, count: 32).base64EncodedString(),
            Data((0..<31).map { $0 }).base64EncodedString(),
        ] {
            #expect(EncryptionKey(bad) == nil)
        }
    }
}

import Domain
import FoundationEssentials
import NIOCore
import ObjectStorage
import Synchronization
import TestSupport
import Testing

/// What every kind of storage must do alike.
@Suite("Object storage")
struct ConformanceTests {
    struct Cut: Error {}

    @Test(
        "gives back what was stored, whole and in part, with its count and hash",
        arguments: StorageKind.allCases)
    func stores(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            let stored = try await storage.put(
                "uploads/a", ["hello ", "world"].map { ByteBuffer(string: $0) }, byteCountMax: 11)
            #expect(stored.byteCount == 11)
            #expect(
                hexadecimal(stored.sha256)
                    == "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9")
            #expect(try await storage.text(stored.key) == "hello world")
            #expect(try await storage.text(stored.key, 6..<9) == "wor")
            #expect(try await storage.text(stored.key, 11..<11) == "")
            let error = await #expect(throws: ObjectStorageError.self) {
                try await storage.read(stored.key, 6..<12)
            }
            guard case .rangeNotSatisfiable(byteCount: 11) = error else {
                Issue.record("\(error as Any)")
                return
            }
        }
    }

    @Test("stores nothing as well as something", arguments: StorageKind.allCases)
    func empty(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            let stored = try await storage.put("a", [])
            #expect(stored.byteCount == 0)
            #expect(try await storage.text(stored.key) == "")
        }
    }

    @Test("deletes, and again without complaint", arguments: StorageKind.allCases)
    func deletes(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            let stored = try await storage.put("uploads/a", "x")
            try await storage.delete(key: stored.key)
            try await storage.delete(key: stored.key)
            try await storage.delete(key: "uploads/never")
            await #expect { try await storage.read(stored.key) } throws: { isNotFound($0) }
            #expect(try await storage.keys == [])
        }
    }

    @Test("lists in order, from any key on, with times", arguments: StorageKind.allCases)
    func lists(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            let began = Date(timeIntervalSinceNow: -2)
            var keys: [String] = []
            for name in ["uploads/c", "uploads/a", "other/z", "uploads/b"] {
                keys.append(try await storage.put(name, "x").key)
            }
            let all = try await storage.list(prefix: "uploads/", after: nil, countMax: 10)
            #expect(all.map(\.key) == [keys[1], keys[3], keys[0]])
            #expect(all.allSatisfy { $0.storedAt > began && $0.storedAt.timeIntervalSinceNow < 2 })
            let rest = try await storage.list(prefix: "uploads/", after: keys[1], countMax: 1)
            #expect(rest.map(\.key) == [keys[3]])
            #expect(try await storage.keys.count == 4)
        }
    }

    @Test("lists page by page what one list holds", arguments: StorageKind.allCases)
    func pages(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            var keys: [String] = []
            for number in 0..<17 {
                let key = "uploads/\(number * 7919 % 1000)"
                keys.append(try await storage.put(key, "x").key)
            }
            var paged: [String] = []
            while true {
                let page = try await storage.list(
                    prefix: "uploads/", after: paged.last, countMax: 3)
                if page.isEmpty { break }
                paged += page.map(\.key)
            }
            #expect(paged == keys.sorted())
        }
    }

    @Test("tells whether an object is there without reading it", arguments: StorageKind.allCases)
    func contains(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            let stored = try await storage.put("uploads/a", "x")
            #expect(try await storage.contains(key: stored.key))
            #expect(try await !storage.contains(key: "uploads/b"))
            try await storage.delete(key: stored.key)
            #expect(try await !storage.contains(key: stored.key))
        }
    }

    @Test("keeps nothing of bytes over the limit", arguments: StorageKind.allCases)
    func limit(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            await #expect {
                try await storage.put(
                    key: "a", bytes: MadeBytes.patterned(byteCount: 12 << 20),
                    byteCountMax: (12 << 20) - 1)
            } throws: {
                if case ObjectStorageError.tooLarge = $0 { true } else { false }
            }
            try await expectNothing(in: storage)
        }
    }

    @Test("keeps nothing when the bytes' source fails", arguments: StorageKind.allCases)
    func failing(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            let bytes = MadeBytes.patterned(byteCount: 12 << 20) { index in
                if index == 40 { throw Cut() }
            }
            await #expect {
                try await storage.put(key: "a", bytes: bytes, byteCountMax: 1 << 30)
            } throws: {
                if case ObjectStorageError.sourceFailed(is Cut) = $0 { true } else { false }
            }
            try await expectNothing(in: storage)
        }
    }

    @Test("keeps nothing of a put that is cancelled", arguments: StorageKind.allCases)
    func cancelled(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            let hasStarted = Signal()
            let bytes = MadeBytes.patterned(byteCount: 12 << 20) { index in
                guard index == 40 else { return }
                hasStarted.fire()
                try await Task.sleep(for: .seconds(3600))
            }
            await #expect {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        _ = try await storage.put(key: "a", bytes: bytes, byteCountMax: 1 << 30)
                    }
                    try await hasStarted.wait()
                    group.cancelAll()
                    try await group.waitForAll()
                }
            } throws: {
                isCancelled($0)
            }
            try await expectNothing(in: storage)
        }
    }

    @Test("takes many at once", arguments: StorageKind.allCases)
    func concurrent(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        let bytes = pattern(byteCount: 100_000 + number, seed: number)
                        let stored = try await storage.put("many/\(number)", [bytes])
                        #expect(try await storage.read(stored.key) == bytes)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await storage.keys.count == 24)
        }
    }

    @Test("is one of two puts of the same key, never a mixture", arguments: StorageKind.allCases)
    func sameKey(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            let both = [1, 2].map { pattern(byteCount: 300_000, seed: $0) }
            let keys = try await withThrowingTaskGroup(of: String.self) { group in
                for bytes in both { group.addTask { try await storage.put("a", [bytes]).key } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            let key = try #require(keys.first)
            let kept = try await storage.read(key)
            #expect(both.contains(kept))
        }
    }

    @Test("reads any part of an object of many pieces", arguments: StorageKind.allCases)
    func ranges(_ kind: StorageKind) async throws {
        try await kind.with { storage in
            let whole = pattern(byteCount: 9_500_000)
            let stored = try await storage.put("a", [whole])
            #expect(try await storage.read(stored.key) == whole)
            let edges = [0, 1, 65_535, 65_536, 65_537, 131_072, 4 << 20, 8 << 20, 9_499_999]
            for start in edges {
                for count in [1, 65_536, 5 << 20] where start + count <= 9_500_000 {
                    let part = try await storage.read(stored.key, start..<(start + count))
                    #expect(part == whole.getSlice(at: start, length: count))
                }
            }
        }
    }

    @Test(
        "refuses keys that could leave their place",
        arguments: StorageKind.allCases,
        ["", "/a", "a/", "../a", "a/../b", ".incoming/x", "a b", "a\0", "ä"])
    func keys(kind: StorageKind, key: String) async throws {
        try await kind.with { storage in
            await #expect(throws: ObjectStorageError.self) { try await storage.put(key, "x") }
            await #expect(throws: ObjectStorageError.self) { try await storage.read(key) }
            await #expect(throws: ObjectStorageError.self) { try await storage.delete(key: key) }
        }
    }

    private func expectNothing(in storage: any ObjectStorage) async throws {
        #expect(try await storage.keys == [])
        #expect(try await storage.removeUnfinished(before: .distantFuture) == 0)
    }
}

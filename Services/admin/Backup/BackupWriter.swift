import Archive
import Crypto
import Domain
import FoundationEssentials

/// An archive that is being written, entry after entry, and what it came to.
final class BackupWriter {
    var summary = BackupSummary()
    private let tar: TarWriter
    private let seconds: Int
    private var digest = EntryDigest()

    /// - Parameter seconds: since 1970; the time that all entries bear.
    init(descriptor: Int32, seconds: Int) throws {
        tar = try TarWriter(descriptor: descriptor)
        self.seconds = seconds
    }

    func add(_ name: String, _ bytes: [UInt8]) throws {
        try begin(name, byteCount: bytes.count)
        try write(bytes)
    }

    /// Exactly so many bytes are to be written then.
    func begin(_ name: String, byteCount: Int) throws {
        digest.begin(name, byteCount: byteCount)
        try tar.begin(name, byteCount: byteCount, seconds: seconds)
    }

    func write(_ bytes: some ContiguousBytes) throws {
        try bytes.withUnsafeBytes {
            digest.update($0)
            try tar.write($0)
        }
    }

    func finish() throws {
        summary.digest = digest.hexadecimal
        let bytes = try JSONEncoder.sorted.encode(summary)
        try tar.begin(BackupSummary.name, byteCount: bytes.count, seconds: seconds)
        try bytes.withUnsafeBytes { try tar.write($0) }
        try tar.finish()
    }
}

/// Over entries as they follow each other: a name, a length, bytes.
struct EntryDigest {
    private var hash = SHA256()

    mutating func begin(_ name: String, byteCount: Int) {
        hash.update(data: Array("\(name)\n\(byteCount)\n".utf8))
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

    var hexadecimal: String { Domain.hexadecimal(Array(hash.finalize())) }
}

extension JSONEncoder {
    static var sorted: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

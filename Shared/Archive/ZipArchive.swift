import CArchive

/// Why an archive was not unpacked.
package enum ArchiveError: Error, Hashable {
    case corrupt
    case encrypted
    case unpacksTooLarge
    case tooManyEntries
}

/// How much is unpacked before an archive is refused, counted as it unpacks: what an archive says
/// about its own sizes is not believed.
package struct ArchiveLimits: Sendable, Hashable {
    /// Of all entries that are read.
    package var unpackedByteCountMax: Int
    /// Of one entry.
    package var entryByteCountMax: Int
    /// Of all entries, read or not.
    package var entryCountMax: Int

    package init(unpackedByteCountMax: Int, entryByteCountMax: Int, entryCountMax: Int) {
        self.unpackedByteCountMax = unpackedByteCountMax
        self.entryByteCountMax = entryByteCountMax
        self.entryCountMax = entryCountMax
    }
}

/// A ZIP in memory. Names are keys and nothing else: no file is written, no inner archive opened.
package struct ZipArchive {
    /// By name; of two entries with one name the first.
    package private(set) var entries: [String: [UInt8]] = [:]

    /// - Parameter isWanted: tells by its name whether an entry is unpacked; the others cost nothing.
    package init(
        _ bytes: [UInt8], limits: ArchiveLimits, isWanted: (String) -> Bool
    ) throws(ArchiveError) {
        let result = bytes.withUnsafeBytes { memory in
            Result { () throws(ArchiveError) in
                try Self.unpack(memory, limits: limits, isWanted: isWanted)
            }
        }
        entries = try result.get()
    }

    private static func unpack(
        _ memory: UnsafeRawBufferPointer, limits: ArchiveLimits, isWanted: (String) -> Bool
    ) throws(ArchiveError) -> [String: [UInt8]] {
        let reading = try ZipReading(memory)
        var entries: [String: [UInt8]] = [:]
        var entryCount = 0
        var byteCount = 0
        while let entry = try reading.nextEntry() {
            entryCount += 1
            guard entryCount <= limits.entryCountMax else { throw .tooManyEntries }
            guard isWanted(entry.name), entries[entry.name] == nil else { continue }
            if entry.isEncrypted { throw .encrypted }
            let left = limits.unpackedByteCountMax - byteCount
            let content = try reading.content(
                byteCountMax: min(limits.entryByteCountMax, left))
            byteCount += content.count
            entries[entry.name] = content
        }
        return entries
    }
}

import FoundationEssentials
import NIOCore

/// Writes a ZIP archive as a stream (APPNOTE 6.3.10): it keeps about a hundred bytes for each entry,
/// and nothing of what is in them.
///
/// Sizes and checksums follow each entry's bytes in a data descriptor. Entries are deflated in
/// blocks that store (RFC 1951, 3.2.4): unlike bytes that are not compressed at all, they end by
/// themselves, so that also programs which read from a pipe can take the archive apart. The archive
/// may be of any size and hold any number of entries, an entry has less than 4 GiB.
struct ZipWriter: Sendable {
    /// An entry is too large to be written this way.
    struct EntryTooLarge: Error {}

    private struct Entry: Sendable {
        let name: [UInt8]
        let time: DOSTime
        let offset: Int
        var checksum = CRC32()
        var byteCount = 0
        var writtenCount = 0
    }

    private var entries: [Entry] = []
    private var byteCount: Int

    /// - Parameter byteCount: of what stands before it in the same stream.
    init(after byteCount: Int = 0) { self.byteCount = byteCount }

    private static let blockByteCountMax = 65_535
    private static let deflate: UInt16 = 8
    /// A data descriptor follows (bit 3); the name is UTF-8 (bit 11).
    private static let flags: UInt16 = 0x0808
    /// 2.0 knows deflate.
    private static let version: UInt16 = 20
    /// 4.5 knows ZIP64.
    private static let version64: UInt16 = 45
    /// Made on Unix, so that the permissions mean something.
    private static let madeBy: UInt16 = 0x0300 | version64
    private static let permissions: UInt32 = 0o100644 << 16
    private static let full16 = UInt16.max
    private static let full32 = UInt32.max

    /// - Parameter name: a path without a slash at its beginning, another one for each entry.
    mutating func begin(_ name: String, at time: Date) -> ByteBuffer {
        let entry = Entry(name: Array(name.utf8), time: DOSTime(time), offset: byteCount)
        entries.append(entry)
        var header = ByteBuffer()
        header.writeNumbers(0x0403_4B50 as UInt32)
        header.writeNumbers(Self.version, Self.flags, Self.deflate)
        header.writeNumbers(entry.time.time, entry.time.date)
        // Checksum and sizes: they are in the descriptor.
        header.writeNumbers(0 as UInt32, 0, 0)
        header.writeNumbers(UInt16(entry.name.count), 0)
        header.writeBytes(entry.name)
        return count(header)
    }

    /// More of the entry that was begun.
    mutating func add(_ bytes: ByteBuffer) throws -> ByteBuffer {
        var rest = bytes
        var blocks = ByteBuffer()
        while let block = rest.readSlice(length: min(rest.readableBytes, Self.blockByteCountMax)),
            block.readableBytes > 0
        {
            writeBlockHeader(byteCount: block.readableBytes, isLast: false, to: &blocks)
            blocks.writeImmutableBuffer(block)
        }
        let last = entries.count - 1
        entries[last].checksum.update(bytes)
        entries[last].byteCount += bytes.readableBytes
        entries[last].writtenCount += blocks.readableBytes
        // Room for the last block, so that both sizes stay below what four bytes hold.
        guard entries[last].writtenCount < Int(UInt32.max) - 16 else { throw EntryTooLarge() }
        return count(blocks)
    }

    /// Ends the entry that was begun.
    mutating func end() -> ByteBuffer {
        var tail = ByteBuffer()
        writeBlockHeader(byteCount: 0, isLast: true, to: &tail)
        let last = entries.count - 1
        entries[last].writtenCount += tail.readableBytes
        tail.writeNumbers(0x0807_4B50 as UInt32)
        Self.writeSizes(of: entries[last], to: &tail)
        return count(tail)
    }

    /// What stands at the end of the archive: its directory.
    mutating func finish() -> ByteBuffer {
        let start = byteCount
        var directory = ByteBuffer()
        for entry in entries { Self.write(entry, to: &directory) }
        let size = directory.readableBytes
        let isLarge =
            entries.count >= Int(Self.full16) || start + size >= Int(Self.full32)
        if isLarge { write64End(start: start, size: size, to: &directory) }
        let entryCount = UInt16(clamping: entries.count)
        directory.writeNumbers(0x0605_4B50 as UInt32)
        directory.writeNumbers(0 as UInt16, 0, entryCount, entryCount)
        directory.writeNumbers(UInt32(clamping: size), UInt32(clamping: start))
        directory.writeNumbers(0 as UInt16)
        return count(directory)
    }

    private mutating func count(_ bytes: ByteBuffer) -> ByteBuffer {
        byteCount += bytes.readableBytes
        return bytes
    }

    private func writeBlockHeader(byteCount: Int, isLast: Bool, to bytes: inout ByteBuffer) {
        bytes.writeNumbers((isLast ? 1 : 0) as UInt8)
        bytes.writeNumbers(UInt16(byteCount), ~UInt16(byteCount))
    }

    private static func writeSizes(of entry: Entry, to bytes: inout ByteBuffer) {
        bytes.writeNumbers(
            entry.checksum.value, UInt32(entry.writtenCount), UInt32(entry.byteCount))
    }

    private static func write(_ entry: Entry, to directory: inout ByteBuffer) {
        let isFar = entry.offset >= Int(full32)
        directory.writeNumbers(0x0201_4B50 as UInt32)
        directory.writeNumbers(madeBy, isFar ? version64 : version, flags, deflate)
        directory.writeNumbers(entry.time.time, entry.time.date)
        writeSizes(of: entry, to: &directory)
        // Lengths of name, extra field and comment; disk; internal attributes.
        directory.writeNumbers(UInt16(entry.name.count), isFar ? 12 : 0, 0, 0, 0)
        directory.writeNumbers(permissions, UInt32(clamping: entry.offset))
        directory.writeBytes(entry.name)
        guard isFar else { return }
        directory.writeNumbers(0x0001 as UInt16, 8)
        directory.writeNumbers(UInt64(entry.offset))
    }

    /// ZIP64's end of the directory, and where to find it.
    private func write64End(start: Int, size: Int, to directory: inout ByteBuffer) {
        let place = start + directory.readableBytes
        directory.writeNumbers(0x0606_4B50 as UInt32)
        directory.writeNumbers(44 as UInt64)
        directory.writeNumbers(Self.madeBy, Self.version64)
        directory.writeNumbers(0 as UInt32, 0)
        directory.writeNumbers(
            UInt64(entries.count), UInt64(entries.count), UInt64(size), UInt64(start))
        directory.writeNumbers(0x0706_4B50 as UInt32, 0)
        directory.writeNumbers(UInt64(place))
        directory.writeNumbers(1 as UInt32)
    }
}

extension ByteBuffer {
    /// All of ZIP's numbers are little-endian.
    fileprivate mutating func writeNumbers<Number: FixedWidthInteger>(_ numbers: Number...) {
        for number in numbers { writeInteger(number, endianness: .little) }
    }
}

/// A moment as ZIP writes it: two seconds are the smallest step, and nothing is before 1980.
struct DOSTime: Sendable, Equatable {
    let date: UInt16
    let time: UInt16

    init(_ moment: Date) {
        let seconds = Int(moment.timeIntervalSince1970)
        let (day, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let (year, month, dayOfMonth) = Self.civil(day)
        guard (1980...2107).contains(year) else {
            // The first day there is.
            date = 1 << 5 | 1
            time = 0
            return
        }
        let (hour, minute) = (second / 3600, second / 60 % 60)
        date = UInt16((year - 1980) * 512 + month * 32 + dayOfMonth)
        time = UInt16(hour * 2048 + minute * 32 + second % 60 / 2)
    }

    /// The Gregorian date of a day since 1970, by counting from the first of March of year 0, so
    /// that the leap day is a year's last.
    private static func civil(_ day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
            dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        )
    }
}

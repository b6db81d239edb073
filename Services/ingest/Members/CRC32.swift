import NIOCore

/// The checksum of ZIP and gzip (ISO 3309), four bytes at a time.
struct CRC32: Sendable {
    private var state: UInt32 = .max

    var value: UInt32 { ~state }

    mutating func update(_ bytes: ByteBuffer) {
        var state = state
        bytes.withUnsafeReadableBytes { bytes in
            let whole = bytes.count & ~3
            for index in stride(from: 0, to: whole, by: 4) {
                let word = UInt32(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self))
                state = Self.after(state ^ word)
            }
            for byte in bytes[whole...] {
                let index = Int((state ^ UInt32(byte)) & 0xFF)
                state = (state >> 8) ^ Self.tables[index]
            }
        }
        self.state = state
    }

    /// What four bytes do that were added to the state.
    private static func after(_ mixed: UInt32) -> UInt32 {
        let first = tables[768 + Int(mixed & 0xFF)]
        let second = tables[512 + Int((mixed >> 8) & 0xFF)]
        let third = tables[256 + Int((mixed >> 16) & 0xFF)]
        return first ^ second ^ third ^ tables[Int(mixed >> 24)]
    }

    /// Four tables of 256: the n-th says what a byte does that has n more after it.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = []
        for index in UInt32(0)..<256 {
            var value = index
            for _ in 0..<8 {
                let isOdd = value & 1 == 1
                value >>= 1
                if isOdd { value ^= 0xEDB8_8320 }
            }
            tables.append(value)
        }
        for index in 0..<768 {
            let before = tables[index]
            tables.append((before >> 8) ^ tables[Int(before & 0xFF)])
        }
        return tables
    }()
}

/// A ZIP, written by hand so that it can say what no program would write.
struct ZipFile {
    private var local: [UInt8] = []
    private var central: [UInt8] = []
    private var count = 0

    init(_ entries: [(String, String)] = []) {
        for (name, text) in entries { add(name, Array(text.utf8)) }
    }

    /// - Parameters:
    ///   - flags: bit 0 says that the entry is encrypted.
    ///   - declared: the size that it says it has.
    mutating func add(_ name: String, _ bytes: [UInt8], flags: Int = 0, declared: Int? = nil) {
        add(
            name, bytes, method: 0, size: declared ?? bytes.count, checksum: Self.checksum(bytes),
            flags: flags)
    }

    /// An entry that unpacks to as many zeros.
    mutating func add(_ name: String, zeroCount: Int, declared: Int? = nil) {
        add(
            name, Self.deflatedZeros(zeroCount), method: 8, size: declared ?? zeroCount,
            checksum: 0, flags: 0)
    }

    var bytes: [UInt8] {
        local + central + Self.little(0x0605_4B50, 4) + [0, 0, 0, 0]
            + Self.little(min(count, 0xFFFF), 2) + Self.little(min(count, 0xFFFF), 2)
            + Self.little(central.count, 4) + Self.little(local.count, 4) + [0, 0]
    }

    private mutating func add(
        _ name: String, _ bytes: [UInt8], method: Int, size: Int, checksum: Int, flags: Int
    ) {
        let name = Array(name.utf8)
        let offset = local.count
        // UTF-8 names; no time.
        let common =
            Self.little(20, 2) + Self.little(flags | 0x0800, 2) + Self.little(method, 2)
            + [0, 0, 0, 0] + Self.little(checksum, 4) + Self.little(bytes.count, 4)
            + Self.little(size, 4) + Self.little(name.count, 2) + [0, 0]
        local += Self.little(0x0403_4B50, 4) + common + name + bytes
        central += Self.little(0x0201_4B50, 4) + Self.little(20, 2) + common
        central += [UInt8](repeating: 0, count: 10) + Self.little(offset, 4) + name
        count += 1
    }

    private static func little(_ value: Int, _ byteCount: Int) -> [UInt8] {
        (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private static func checksum(_ bytes: [UInt8]) -> Int {
        var checksum: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            checksum = table[Int((checksum ^ UInt32(byte)) & 0xFF)] ^ (checksum >> 8)
        }
        return Int(~checksum)
    }

    private static let table: [UInt32] = (0..<256).map { (index: UInt32) in
        (0..<8).reduce(index) { value, _ in
            value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1
        }
    }

    /// One block of fixed codes (RFC 1951, 3.2.6): a zero, and then "258 times the byte before".
    private static func deflatedZeros(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var bits = 0
        var bitCount = 0
        func write(_ code: Int, _ length: Int) {
            for position in (0..<length).reversed() {
                bits |= (code >> position & 1) << bitCount
                bitCount += 1
                guard bitCount == 8 else { continue }
                bytes.append(UInt8(bits))
                (bits, bitCount) = (0, 0)
            }
        }
        // The last block, with fixed codes: 1, then 01 from its low bit.
        write(0b110, 3)
        write(0b0011_0000, 8)
        // Length 258 is symbol 285, distance 1 symbol 0.
        for _ in 0..<(count / 258) {
            write(0b1100_0101, 8)
            write(0, 5)
        }
        // The end of the block, and zeros to the byte's end.
        write(0, 7)
        write(0, (8 - bitCount) % 8)
        return bytes
    }
}

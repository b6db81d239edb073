/// The server's decimal type, which `sum` and `extract` answer with.
///
/// Four 16-bit words (count of digits, weight, sign, scale), then digits of base 10 000.
struct Numeric {
    let double: Double

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 8, bytes.count.isMultiple(of: 2) else { return nil }
        let words = stride(from: 0, to: bytes.count, by: 2).map {
            UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
        }
        let sign = words[2]
        // The rest are NaN and the infinities.
        guard Int(words[0]) == words.count - 4, sign == 0 || sign == 0x4000 else { return nil }
        var magnitude = 0.0
        for digit in words.dropFirst(4) { magnitude = magnitude * 10_000 + Double(digit) }
        // Dividing by a power of ten keeps what was exact exact; multiplying by 0.0001 would not.
        let exponent = Int(Int16(bitPattern: words[1])) - Int(words[0]) + 1
        for _ in 0..<abs(exponent) {
            magnitude = exponent > 0 ? magnitude * 10_000 : magnitude / 10_000
        }
        double = sign == 0 ? magnitude : -magnitude
    }
}

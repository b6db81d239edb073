/// The id of a term in the sparse vectors: MurmurHash3 x86, 32 bits, seed 0, over its UTF-8.
///
/// It is part of the index: another hash would make every stored vector meaningless.
func termID(_ term: String) -> UInt32 {
    let bytes = Array(term.utf8)
    var hash: UInt32 = 0
    let blockCount = bytes.count / 4
    for block in 0..<blockCount {
        let at = block * 4
        let word =
            UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
            | UInt32(bytes[at + 3]) << 24
        hash = rotated(hash ^ mixed(word), by: 13) &* 5 &+ 0xE654_6B64
    }
    var tail: UInt32 = 0
    for (shift, byte) in bytes[(blockCount * 4)...].enumerated() {
        tail |= UInt32(byte) << UInt32(shift * 8)
    }
    hash ^= mixed(tail)
    hash ^= UInt32(truncatingIfNeeded: bytes.count)
    hash = (hash ^ hash >> 16) &* 0x85EB_CA6B
    hash = (hash ^ hash >> 13) &* 0xC2B2_AE35
    return hash ^ hash >> 16
}

private func mixed(_ word: UInt32) -> UInt32 {
    rotated(word &* 0xCC9E_2D51, by: 15) &* 0x1B87_3593
}

private func rotated(_ value: UInt32, by count: UInt32) -> UInt32 {
    value << count | value >> (32 - count)
}

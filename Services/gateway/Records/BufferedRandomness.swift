import Glibc

/// The system's randomness, taken in portions: asking for each number costs a system call.
struct BufferedRandomness: RandomNumberGenerator {
    /// As much as one `getentropy` gives.
    private static let byteCount = 256

    private var words: [UInt64] = []

    mutating func next() -> UInt64 {
        if let word = words.popLast() { return word }
        words = [UInt64](unsafeUninitializedCapacity: Self.byteCount / 8) { buffer, count in
            guard getentropy(buffer.baseAddress, Self.byteCount) == 0 else { return }
            count = buffer.count
        }
        var system = SystemRandomNumberGenerator()
        return words.popLast() ?? system.next()
    }
}

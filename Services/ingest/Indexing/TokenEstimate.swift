/// An estimate of how many tokens a multilingual sentence-piece model makes of a text.
///
/// Conservative, so that a chunk rarely has to be cut again: XLM-R takes about five letters of
/// Italian or English to a token, we count three; and every digit, sign and ideograph for itself.
struct TokenEstimate {
    private(set) var tokenCount = 0
    private var runLength = 0
    private var runDivisor = 3

    static func of(_ text: some StringProtocol) -> Int {
        var estimate = TokenEstimate()
        for scalar in text.unicodeScalars { estimate.take(scalar) }
        estimate.endRun()
        return estimate.tokenCount
    }

    private mutating func take(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x41...0x5A, 0x61...0x7A, 0xC0...0x24F: extendRun(divisor: 3)
        // Combining marks, Greek, Cyrillic, Arabic, Indic and the like: shorter pieces.
        case 0x250..<0x2000: extendRun(divisor: 2)
        case 0x09, 0x0A, 0x0D, 0x20, 0xA0: endRun()
        case 0x1F000...:
            endRun()
            tokenCount += 3
        default:
            endRun()
            tokenCount += 1
        }
    }

    private mutating func extendRun(divisor: Int) {
        if divisor < runDivisor { runDivisor = divisor }
        runLength += 1
    }

    private mutating func endRun() {
        guard runLength > 0 else { return }
        // No word is that long: what looks like one is split into short pieces.
        let divisor = runLength > 24 ? min(runDivisor, 2) : runDivisor
        tokenCount += (runLength + divisor - 1) / divisor
        runLength = 0
        runDivisor = 3
    }
}

internal import FoundationEssentials

/// Inputs made of good ones by random damage, the same again for the same seed and run.
///
/// `FUZZ_RUNS`, `FUZZ_SEED` and `FUZZ_FROM` say how many, which, and from which run on: what a trap
/// leaves of a run is the line printed before it.
package struct Fuzzing: Sendable {
    private let name: String
    private let seed: UInt64
    private let runs: Range<Int>
    /// A few per cent of the inputs are not made of good ones at all.
    private let noiseShare = 0.03
    private let byteCountMax = 64 << 10

    package struct Input: Sendable {
        package let bytes: [UInt8]
        /// Decides whatever else the run needs to have decided.
        package var generator: SeededGenerator
        /// Names the run when it fails.
        package let comment: String
    }

    package init(_ name: String, runCount: Int = 200) {
        let settings = ProcessInfo.processInfo.environment
        let count = settings["FUZZ_RUNS"].flatMap { Int($0) } ?? runCount
        let first = settings["FUZZ_FROM"].flatMap { Int($0) } ?? 0
        self.name = name
        seed = settings["FUZZ_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...999_999_999)
        runs = first..<(first + count)
    }

    /// - Parameters:
    ///   - examples: good inputs. At least one.
    ///   - tokens: what such inputs are made of, to be put where it does not belong.
    package func each(
        of examples: [[UInt8]], tokens: [String], _ body: (inout Input) throws -> Void
    ) async throws {
        print("fuzz \(name): FUZZ_SEED=\(seed), runs \(runs)")
        let tokens = tokens.map { Array($0.utf8) } + Self.everywhere
        for run in runs {
            var generator = SeededGenerator(seed: seed &+ UInt64(run) &* 0x9E37_79B9_7F4A_7C15)
            let bytes = damaged(examples, tokens, &generator)
            var input = Input(
                bytes: bytes, generator: generator,
                comment: "FUZZ_SEED=\(seed) FUZZ_FROM=\(run) of \(name)")
            try body(&input)
            // Others have to go on, and there is a thread for each core, no more.
            await Task.yield()
        }
    }

    private static let everywhere: [[UInt8]] = [
        [0], [0xFF], [0x80], [0xED, 0xA0, 0x80], [0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [13, 10],
        [13], [10, 10], Array("\u{2028}".utf8), Array("e\u{301}".utf8), Array("👩‍👩‍👧".utf8),
    ]

    private func damaged(
        _ examples: [[UInt8]], _ tokens: [[UInt8]], _ generator: inout SeededGenerator
    ) -> [UInt8] {
        if Double.random(in: 0..<1, using: &generator) < noiseShare {
            return (0..<Int.random(in: 0...400, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
        }
        var bytes = examples.randomElement(using: &generator) ?? []
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            damage(&bytes, examples, tokens, &generator)
        }
        return Array(bytes.prefix(byteCountMax))
    }

    private func damage(
        _ bytes: inout [UInt8], _ examples: [[UInt8]], _ tokens: [[UInt8]],
        _ generator: inout SeededGenerator
    ) {
        let range = someRange(of: bytes, &generator)
        switch Int.random(in: 0..<7, using: &generator) {
        case 0 where !range.isEmpty:
            bytes[range.lowerBound] ^= 1 << UInt8.random(in: 0...7, using: &generator)
        case 1: bytes.removeSubrange(range)
        case 2:
            let count = Int.random(in: 1...40, using: &generator)
            let again = Array(repeatElement(bytes[range], count: count).joined())
            bytes.insert(contentsOf: again.prefix(byteCountMax), at: range.lowerBound)
        case 3: bytes.removeSubrange(range.lowerBound...)
        case 4:
            let other = examples.randomElement(using: &generator) ?? []
            bytes.replaceSubrange(range, with: other[someRange(of: other, &generator)])
        default:
            let token = tokens.randomElement(using: &generator) ?? []
            bytes.insert(contentsOf: token, at: range.lowerBound)
        }
    }

    private func someRange(
        of bytes: [UInt8], _ generator: inout SeededGenerator
    ) -> Range<Int> {
        let start = Int.random(in: 0...bytes.count, using: &generator)
        let longest = Bool.random(using: &generator) ? 8 : bytes.count
        let count = Int.random(in: 0...longest, using: &generator)
        return start..<min(bytes.count, start + count)
    }
}

/// SplitMix64: small, and the same everywhere.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension Array {
    /// The same in random pieces, as they might come from a socket.
    package func cut(using generator: inout SeededGenerator) -> [ArraySlice<Element>] {
        var pieces: [ArraySlice<Element>] = []
        var start = startIndex
        while start < endIndex {
            let longest = Bool.random(using: &generator) ? 3 : 200
            let end = Swift.min(endIndex, start + Int.random(in: 1...longest, using: &generator))
            pieces.append(self[start..<end])
            start = end
        }
        return pieces
    }
}

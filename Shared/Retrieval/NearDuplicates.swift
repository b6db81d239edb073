import Domain

/// Texts that say the same, give or take a few words: copies of a file, a page in two versions.
struct NearDuplicates {
    /// The least hashes of a text's runs of three words: shared ones estimate how much of their runs
    /// two texts share (bottom-k sketch, Cohen and Kaplan 2007).
    private struct Sketch {
        static let hashCount = 64
        private let hashes: [UInt64]

        init(_ text: String) {
            let words = Self.words(of: text)
            var all: Set<UInt64> = []
            for index in words.indices.dropLast(2) {
                all.insert(Self.mixed(words[index...index + 2]))
            }
            if all.isEmpty { all.insert(Self.mixed(words[...])) }
            hashes = Array(all.sorted().prefix(Self.hashCount))
        }

        /// The share of common runs among all of both, 0…1.
        func resemblance(to other: Sketch) -> Double {
            var (mine, theirs) = (hashes[...], other.hashes[...])
            var (seenCount, commonCount) = (0, 0)
            while seenCount < Self.hashCount, let left = mine.first, let right = theirs.first {
                seenCount += 1
                if left == right { commonCount += 1 }
                if left <= right { mine.removeFirst() }
                if right <= left { theirs.removeFirst() }
            }
            let rest = min(mine.count + theirs.count, Self.hashCount - seenCount)
            return Double(commonCount) / Double(max(1, seenCount + rest))
        }

        /// Hashes of words (FNV-1a); capitals of ASCII, signs and white space make no difference.
        private static func words(of text: String) -> [UInt64] {
            var words: [UInt64] = []
            var hash = offset
            for byte in text.utf8 {
                let isWord = byte >= 0x80 || isLetterOrDigit(byte)
                if isWord {
                    let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
                    hash = (hash ^ UInt64(lower)) &* prime
                } else if hash != offset {
                    words.append(hash)
                    hash = offset
                }
            }
            if hash != offset { words.append(hash) }
            return words
        }

        private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                || (0x61...0x7A).contains(byte)
        }

        private static func mixed(_ words: ArraySlice<UInt64>) -> UInt64 {
            var hash = words.reduce(offset) { ($0 ^ $1) &* prime }
            // The low bits of a product know little of the high ones.
            hash ^= hash >> 29
            return hash &* 0xBF58_476D_1CE4_E5B9
        }

        private static let offset: UInt64 = 0xCBF2_9CE4_8422_2325
        private static let prime: UInt64 = 0x100_0000_01B3
    }

    /// From where on two texts are one.
    private static let resemblanceMax = 0.8

    private var kept: [Sketch] = []
    private var documents: Set<Document.ID> = []

    /// False when a text like it came before. A document's first is always new if it is to be
    /// represented.
    mutating func isNew(_ chunk: RetrievedChunk, represents: Bool = false) -> Bool {
        let sketch = Sketch(chunk.chunk.text)
        let isFirst = documents.insert(chunk.documentID).inserted
        let isKnown = kept.contains { $0.resemblance(to: sketch) >= Self.resemblanceMax }
        guard !isKnown || (represents && isFirst) else { return false }
        kept.append(sketch)
        return true
    }
}

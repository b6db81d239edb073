extension String {
    /// The text of a range of UTF-8 bytes that begins and ends between scalars.
    func slice(_ range: Range<Int>) -> String {
        String(self[utf8.index(range.lowerBound)..<utf8.index(range.upperBound)])
    }

    func utf8Offset(of index: Index) -> Int {
        utf8.distance(from: utf8.startIndex, to: index)
    }

    /// The range without the white space at its ends; nil if that is all there is.
    func trimmed(_ range: Range<Index>) -> Range<Index>? {
        let scalars = unicodeScalars[range]
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return nil }
        return first..<unicodeScalars.index(after: last)
    }
}

extension String.UTF8View {
    /// Constant time in native strings.
    func index(_ offset: Int) -> Index { index(startIndex, offsetBy: offset) }
}

extension UTF8 {
    static func width(_ scalar: Unicode.Scalar) -> Int { scalar.utf8.count }
}

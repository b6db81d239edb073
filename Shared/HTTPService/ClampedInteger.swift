/// A whole number of a body whose range is narrowed anyway: one that no machine word holds is the
/// nearest that one does.
package struct ClampedInteger: Codable, Sendable, Hashable {
    package let value: Int

    package init(_ value: Int) { self.value = value }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // What is no number at all is refused by the next line, in its words.
        if let value = try? container.decode(Int.self) {
            self.value = value
            return
        }
        let number = try container.decode(Double.self)
        guard number.magnitude >= 0x1p53 else {
            throw DecodingError.typeMismatch(
                Int.self,
                .init(codingPath: decoder.codingPath, debugDescription: "not a whole number"))
        }
        value = number < 0 ? .min : .max
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

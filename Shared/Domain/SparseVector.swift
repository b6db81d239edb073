/// Term weights by term id, as the lexical half of the index holds and asks them.
package struct SparseVector: Sendable, Hashable, Codable {
    /// Rising and unique.
    package let indices: [UInt32]
    /// As many as indices.
    package let values: [Float]

    package init(_ weights: [UInt32: Float]) {
        let sorted = weights.sorted { $0.key < $1.key }
        indices = sorted.map(\.key)
        values = sorted.map(\.value)
    }

    package var isEmpty: Bool { indices.isEmpty }
}

/// A statement as the server plans it.
struct Statement: Hashable {
    let text: String
    let types: [UInt32]
}

/// Which statements one connection has prepared. The second use prepares; the least recently used
/// goes when there are too many.
struct PreparedStatements {
    enum Use: Equatable {
        /// Plan and run at once.
        case once
        case known(name: String)
        /// Prepare under this name, after another was let go.
        case new(name: String, forgotten: String?)
    }

    private struct Entry {
        var name: String?
        var lastUse: Int
    }

    private static let countMax = 256
    private var entries: [Statement: Entry] = [:]
    private var useCount = 0

    mutating func use(_ statement: Statement) -> Use {
        useCount += 1
        guard let entry = entries[statement] else {
            let forgotten = makeRoom()
            entries[statement] = Entry(name: nil, lastUse: useCount)
            if let forgotten { released.append(forgotten) }
            return .once
        }
        entries[statement]?.lastUse = useCount
        if let name = entry.name { return .known(name: name) }
        let name = "celine_\(useCount)"
        entries[statement]?.name = name
        return .new(name: name, forgotten: released.popLast())
    }
    private var released: [String] = []

    mutating func forget(_ statement: Statement) { entries[statement] = nil }

    /// The name of what was let go, if it had one.
    private mutating func makeRoom() -> String? {
        guard entries.count >= Self.countMax,
            let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        else { return nil }
        entries[oldest.key] = nil
        return oldest.value.name
    }
}

/// At most `countMax` values, the least recently wanted ones forgotten first, roughly.
///
/// Two halves: new and re-read values go to the young one; when it is full it becomes the old
/// one, and what was in the old one is forgotten. Every operation is O(1).
struct BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let halfCountMax: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    init(countMax: Int) { halfCountMax = max(1, countMax / 2) }

    var count: Int { young.count + old.count }

    mutating func find(_ key: Key) -> Value? {
        if let value = young[key] { return value }
        guard let value = old.removeValue(forKey: key) else { return nil }
        insert(value, for: key)
        return value
    }

    mutating func insert(_ value: Value, for key: Key) {
        old[key] = nil
        if young.count >= halfCountMax, young[key] == nil {
            old = young
            young = [:]
        }
        young[key] = value
    }

    mutating func remove(_ key: Key) {
        young[key] = nil
        old[key] = nil
    }

    mutating func removeAll() {
        young = [:]
        old = [:]
    }
}

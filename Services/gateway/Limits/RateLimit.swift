import NIOCore
import Synchronization

/// A token bucket for each key, on this replica: a minute's worth at once, then one by one.
///
/// Kept as the time at which a bucket is full again (the generic cell rate algorithm of ITU-T I.371),
/// so that a full bucket needs no memory.
final class RateLimit<Key: Hashable & Sendable>: Sendable {
    /// Beyond this the full ones are forgotten; where that leaves more than half, all of them: nobody is
    /// refused because of others, and nobody makes others' requests search all keys each time.
    static var keyCountMax: Int { 100_000 }

    private let interval: Int64
    private let burst: Int64
    private let fullAt = Mutex<[Key: NIODeadline]>([:])

    /// Nil for no limit.
    init?(perMinute: Int) {
        guard perMinute > 0 else { return nil }
        burst = 60_000_000_000
        interval = burst / Int64(perMinute)
    }

    /// Takes one. If there is none: after how many seconds there will be.
    func take(_ key: Key, now: NIODeadline = .now()) -> Int? {
        fullAt.withLock { fullAt in
            let next = max(fullAt[key] ?? now, now) + .nanoseconds(interval)
            let excess = (next - now).nanoseconds - burst
            if excess > 0 { return Int((excess + 999_999_999) / 1_000_000_000) }
            if fullAt.count >= Self.keyCountMax {
                fullAt = fullAt.filter { $0.value > now }
                if fullAt.count > Self.keyCountMax / 2 { fullAt.removeAll() }
            }
            fullAt[key] = next
            return nil
        }
    }
}

/// How many of something each key has right now.
final class ConcurrencyLimit<Key: Hashable & Sendable>: Sendable {
    private let countMax: Int
    private let counts = Mutex<[Key: Int]>([:])

    /// Nil for no limit.
    init?(countMax: Int) {
        guard countMax > 0 else { return nil }
        self.countMax = countMax
    }

    /// False if it has as many as it may; otherwise to be given back with `leave`.
    func enter(_ key: Key) -> Bool {
        counts.withLock { counts in
            let count = counts[key, default: 0]
            guard count < countMax else { return false }
            counts[key] = count + 1
            return true
        }
    }

    func leave(_ key: Key) {
        counts.withLock { counts in
            guard let count = counts[key] else { return }
            counts[key] = count > 1 ? count - 1 : nil
        }
    }
}

import Postgres

/// Looks again whenever Postgres notifies, and now and then besides: a notification is a hint.
struct SignalWait {
    let news: AsyncStream<Notification>
    /// What the notification carries. An empty one says that some were missed.
    let payload: String

    private static let pollInterval = Duration.seconds(1)

    /// What `look` finds first; nil when it found nothing until `end`.
    func first<Value: Sendable>(
        until end: ContinuousClock.Instant, _ look: @escaping @Sendable () async -> Value?
    ) async -> Value? {
        let (news, payload) = (news, payload)
        return await withTaskGroup(of: Value?.self) { group in
            group.addTask {
                for await notification in news
                where notification.payload.isEmpty || notification.payload == payload {
                    if let value = await look() { return value }
                }
                // The listener ended: the others decide. Cancelled when they did.
                try? await Task.sleep(until: end)
                return nil
            }
            group.addTask {
                while ContinuousClock.now < end, !Task.isCancelled {
                    if let value = await look() { return value }
                    // Cancelled: the loop's condition ends it.
                    try? await Task.sleep(for: Self.pollInterval)
                }
                return nil
            }
            group.addTask {
                // Cancelled when a look was first.
                try? await Task.sleep(until: end)
                return nil
            }
            let value = await group.next() ?? nil
            group.cancelAll()
            return value
        }
    }
}

import CLibCurl
import Dispatch
import Glibc
import Synchronization

/// One connection to a server, kept between requests, on a thread of its own: libcurl's handles
/// never leave the actor's executor, which *is* that thread.
actor CurlConnection {
    private let queue = CurlQueue()
    private let settings: CurlSettings
    private var handle: CurlHandle?
    private nonisolated let wakeup = CurlWakeup()

    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    init(_ settings: CurlSettings) { self.settings = settings }

    isolated deinit { handle = nil }

    /// - Parameter isCancellable: false for what must be tidied up whoever left.
    nonisolated func send(
        _ request: CurlRequest, isCancellable: Bool
    ) async throws(CurlError) -> CurlAnswer {
        let isCancelled = CancelledFlag()
        let result: Result<CurlAnswer, CurlError> = await withTaskCancellationHandler {
            await perform(request, isCancelled)
        } onCancel: {
            guard isCancellable else { return }
            isCancelled.raise()
            wakeup.signal()
        }
        return try result.get()
    }

    private func perform(
        _ request: CurlRequest, _ isCancelled: CancelledFlag
    ) -> Result<CurlAnswer, CurlError> {
        do throws(CurlError) {
            let handle: CurlHandle
            if let kept = self.handle { handle = kept } else { handle = try CurlHandle() }
            self.handle = handle
            return .success(
                try handle.perform(
                    request, settings, wakeup: wakeup, isCancelled: { isCancelled.isRaised }))
        } catch {
            return .failure(error)
        }
    }
}

private final class CancelledFlag: Sendable {
    private let flag = Atomic(false)

    var isRaised: Bool { flag.load(ordering: .acquiring) }
    func raise() { flag.store(true, ordering: .releasing) }
}

/// Wakes a thread that waits in libcurl.
final class CurlWakeup: Sendable {
    /// Readable once somebody signalled.
    let descriptor: CInt

    init() { descriptor = clibcurl_eventfd() }

    deinit { close(descriptor) }

    func signal() {
        var one: UInt64 = 1
        // The only failure is a full counter, and that is readable too.
        _ = write(descriptor, &one, 8)
    }

    func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}

/// Somewhere to make calls that block, one after the other, off the shared thread pool.
private final class CurlQueue: SerialExecutor {
    private let queue = DispatchQueue(label: "object-storage.connection")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}

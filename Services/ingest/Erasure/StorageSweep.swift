import Database
import Domain
import FoundationEssentials
import Logging
import ObjectStorage
import Postgres
import ServiceLifecycle

/// Removes abandoned bytes, now and then: uploads whose process died before their row was written,
/// or before their bytes were all there.
struct StorageSweep: Service {
    struct Result: Equatable {
        var removedCount = 0
        var unfinishedCount = 0
    }

    private static let pageCountMax = 1000
    /// Not all replicas at once, and soon enough for one that is restarted often.
    private static let firstPause = 60...600
    private static let pauseSeconds = 6 * 3600
    /// Any number that nobody else locks.
    static let lock: Int64 = 0x6365_6C69_7377

    let pool: PostgresPool
    let storage: any ObjectStorage
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var pause = Int.random(in: Self.firstPause)
            while !Task.isCancelled {
                do {
                    try await Task.sleep(for: .seconds(pause))
                    try await sweep(
                        before: Date(timeIntervalSinceNow: -Double(UploadKey.abandonedSeconds)))
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning(
                        "abandoned bytes may remain", metadata: ["reason": "\(error)"])
                }
                pause = Self.pauseSeconds
            }
        }
    }

    /// Nil when somebody else is sweeping.
    @discardableResult
    func sweep(before moment: Date) async throws -> Result? {
        try await pool.withAdvisoryLock(Self.lock, waitMax: .zero) {
            var result = Result()
            result.unfinishedCount = try await storage.removeUnfinished(before: moment)
            guard try await isOurs() else {
                // A new deployment's too: nothing of it is abandoned for long.
                logger.info("no file is named by the database: stored files are not swept")
                return result
            }
            var last: String?
            repeat {
                let page = try await storage.list(
                    prefix: UploadKey.prefix, after: last, countMax: Self.pageCountMax)
                result.removedCount += try await removeNameless(in: page, before: moment)
                last = page.last?.key
            } while last != nil
            if result != Result() {
                logger.info(
                    "removed abandoned bytes",
                    metadata: [
                        "object.count": "\(result.removedCount)",
                        "unfinished.count": "\(result.unfinishedCount)",
                    ])
            }
            return result
        }
    }

    private func removeNameless(in page: [ListedObject], before moment: Date) async throws -> Int {
        let ours = page.filter { UploadKey.isOurs($0.key) }
        // Read after the list: what got its row in between has it now.
        let named = try await pool.read { [keys = ours.map(\.key)] session in
            try AttachmentStore(session).storageKeys(among: keys)
        }
        let nameless = ours.filter { !named.contains($0.key) }
        let abandoned = nameless.filter { $0.storedAt < moment }
        for object in abandoned { try await storage.delete(key: object.key) }
        return abandoned.count
    }

    /// Whether the database names any of the stored files: if not, it may be the wrong one.
    private func isOurs() async throws -> Bool {
        for key in try await pool.read({ try StoredBytesStore($0).listSample() }) {
            if try await storage.contains(key: key) { return true }
        }
        return false
    }
}

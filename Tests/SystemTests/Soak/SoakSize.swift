import Foundation
import TestSupport

/// How much there is of what happens by chance: a sample among the ordinary tests, all of it for
/// `make soak`. The seed decides what is done in which order; what meets what stays chance.
struct SoakSize: Sendable {
    let documentCount: Int
    let questionCount: Int
    let cutCount: Int
    let syncKillCount: Int
    /// Of an index that is built anew.
    let chunkCount: Int
    /// Processes that are killed meanwhile.
    let killCount: Int
    /// When no more is broken, whatever is left to do.
    let chaosSecondsMax: Int
    let seed: UInt64

    init() {
        let settings = ProcessInfo.processInfo.environment
        documentCount = settings["SOAK_DOCUMENTS"].flatMap { Int($0) } ?? 16
        questionCount = settings["SOAK_QUESTIONS"].flatMap { Int($0) } ?? 8
        cutCount = settings["SOAK_CUTS"].flatMap { Int($0) } ?? 40
        syncKillCount = settings["SOAK_SYNC_KILLS"].flatMap { Int($0) } ?? 10
        chunkCount = settings["SOAK_CHUNKS"].flatMap { Int($0) } ?? 1_000
        killCount = settings["SOAK_KILLS"].flatMap { Int($0) } ?? 6
        chaosSecondsMax = settings["SOAK_SECONDS"].flatMap { Int($0) } ?? 90
        seed = settings["SOAK_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...999_999_999)
    }

    /// Clients at once. A sample leaves the tests beside it their share of the machine.
    var viewerCount: Int { min(16, max(4, cutCount / 10)) }

    /// A long one may take its time at the end as well.
    var drainLimit: Duration { .seconds(120 + documentCount * 2 + chunkCount / 20) }
}

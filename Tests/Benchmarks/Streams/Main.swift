import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

/// Many answers at once: the model and all its readers, in one process and by one clock, so that each
/// token tells how long it was on its way. The result goes to standard output as a line of JSON.
@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "StreamBenchmark")

    @Option(help: "Where the model listens.") var modelPort: Int
    @Option(help: "Where the readers ask.") var gatewayPort: Int
    @Option(help: "Tokens of each answer.") var tokenCount: Int
    @Option(help: "Milliseconds between two tokens of an answer.") var intervalMs: Int
    @Option(help: "Milliseconds between two questions.") var arrivalMs: Int
    @Option(help: "A file with a bearer token for each reader, one on a line.") var readers: String

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let tokens = try String(contentsOfFile: readers, encoding: .utf8)
            .split(separator: "\n").map(String.init)
        let model = try await PacedModel.serve(
            on: modelPort, tokenCount: tokenCount,
            interval: .milliseconds(Int64(intervalMs)), group)
        let results = try await withThrowingTaskGroup(of: Reading.self) { tasks in
            for token in tokens {
                tasks.addTask { try await Reader.read(gatewayPort, bearer: token, group) }
                try await Task.sleep(for: .milliseconds(arrivalMs))
            }
            return try await tasks.reduce(into: [Reading]()) { $0.append($1) }
        }
        try await model.close()
        try await group.shutdownGracefully()
        let report = Report(results, tokenCount: tokenCount)
        print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }
}

/// What one reader saw.
struct Reading: Sendable {
    /// Of each token, from the model's hand to the reader's.
    var nanoseconds: [UInt64] = []
    var isWhole = false
    /// The last that is no token.
    var lastEvent = ""
}

struct Report: Encodable {
    let streamCount: Int
    let wholeCount: Int
    let wantedCount: Int
    let arrivedCount: Int
    /// On their way for more than a tenth of a second.
    let lateCount: Int
    let p50: Double
    let p99: Double
    let most: Double
    /// What each that is not whole ended with.
    let brokenEnds: [String]

    init(_ readings: [Reading], tokenCount: Int) {
        let all = readings.flatMap(\.nanoseconds).sorted()
        func milliseconds(_ share: Double) -> Double {
            all.isEmpty ? 0 : Double(all[Int(Double(all.count - 1) * share)]) / 1e6
        }
        streamCount = readings.count
        wholeCount = readings.count(where: \.isWhole)
        wantedCount = readings.count * tokenCount
        arrivedCount = all.count
        lateCount = all.count { $0 > 100_000_000 }
        p50 = milliseconds(0.5)
        p99 = milliseconds(0.99)
        most = milliseconds(1)
        brokenEnds = readings.filter { !$0.isWhole }.map(\.lastEvent)
    }
}

func now() -> UInt64 { NIODeadline.now().uptimeNanoseconds }

import ChildProcess
import FoundationEssentials
import TestSupport
import Testing

@Suite("Child process", .serialized)
struct ChildProcessTests {
    private func shell(
        _ script: String, _ limits: ChildProcess.Limits = .init(),
        environment: [String: String] = [:], input: ChildProcess.Input = .nothing,
        outputByteCountMax: Int = 1 << 20
    ) -> ChildProcess {
        ChildProcess(
            executable: "/bin/sh", arguments: ["-c", script], environment: environment,
            limits: limits, input: input, outputByteCountMax: outputByteCountMax)
    }

    private func text(_ child: ChildProcess) async throws -> String {
        String(decoding: try await child.run().stdout, as: UTF8.self)
    }

    @Test("gives back what the program writes, reading what it is given")
    func output() async throws {
        #expect(try await text(shell("cat", input: .bytes(Array("hello".utf8)))) == "hello")
        let big = [UInt8](repeating: 7, count: 3 << 20)
        let child = shell("cat", input: .bytes(big), outputByteCountMax: 4 << 20)
        #expect(try await child.run().stdout == big)
        // A program that reads nothing of a large input does not hold us up.
        #expect(try await text(shell("true", input: .bytes(big))) == "")
    }

    @Test("runs with no environment but the pairs that are given")
    func environment() async throws {
        let child = ChildProcess(
            executable: "/usr/bin/env", environment: ["GIVEN": "1"], outputByteCountMax: 1000)
        #expect(try await text(child) == "GIVEN=1\n")
    }

    @Test("works in an empty folder that goes afterwards, without new privileges")
    func folder() async throws {
        let output = try await text(shell("pwd; ls -A; grep NoNewPrivs /proc/self/status"))
        let lines = output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[1].hasSuffix("1"))
        #expect(!FileManager.default.fileExists(atPath: String(lines[0])))
    }

    @Test("removes the folder of a process that is no more, and nobody else's")
    func abandoned() async throws {
        let dead = try await text(shell("printf $$"))
        let files = FileManager.default
        let left = "/tmp/celine-child-\(dead)-abcdef"
        let other = "/tmp/celine-child-1-abcdef"
        for path in [left, other] {
            try files.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        defer { try? files.removeItem(atPath: other) }
        #expect(files.createFile(atPath: left + "/input", contents: Data("secret".utf8)))
        // Tests beside this one have folders by our own number.
        OwnFolder.removeAbandoned(by: 0)
        #expect(!files.fileExists(atPath: left))
        #expect(files.fileExists(atPath: other))
    }

    @Test("reports the exit code and the beginning of what it complains about")
    func exitCode() async {
        await #expect(throws: ChildError.exited(code: 65, stderr: "no\n")) {
            try await shell("echo no >&2; exit 65").run()
        }
        await #expect(throws: ChildError.notStarted("the program is not there")) {
            try await ChildProcess(executable: "/no/such", outputByteCountMax: 1).run()
        }
    }

    @Test("stops a program that writes too much")
    func tooMuch() async {
        await #expect(throws: ChildError.outputTooLarge) {
            try await shell("cat /dev/zero", outputByteCountMax: 1000).run()
        }
    }

    @Test("stops a program that takes too much memory or time of the processor")
    func limits() async {
        await #expect(throws: ChildError.self) {
            try await shell(
                "head -c 300000000 /dev/zero | tail -c 299999999",
                .init(addressSpaceByteCount: 100 << 20), outputByteCountMax: 1 << 30
            ).run()
        }
        await #expect {
            try await shell("while :; do :; done", .init(cpuSeconds: 1)).run()
        } throws: { error in
            guard case ChildError.signalled = error else { return false }
            return true
        }
    }

    @Test("kills grandchildren too when time is over")
    func grandchildren() async throws {
        let mark = "\(Int.random(in: 100_000...900_000))"
        await #expect(throws: ChildError.timedOut) {
            try await shell(
                "sleep \(mark) & (sleep \(mark) & sleep \(mark)) & wait",
                .init(wallTime: .milliseconds(500))
            ).run()
        }
        // They are killed when run returns, and gone a moment later.
        try await eventually { try running(mark).isEmpty }
    }

    @Test("kills what a program leaves behind when it ends by itself")
    func leftBehind() async throws {
        let mark = "\(Int.random(in: 100_000...900_000))"
        #expect(try await text(shell("sleep \(mark) & echo done")) == "done\n")
        // They are killed when run returns, and gone a moment later.
        try await eventually { try running(mark).isEmpty }
    }

    @Test("kills all when our task is cancelled")
    func cancelled() async throws {
        let mark = "\(Int.random(in: 100_000...900_000))"
        let child = shell("sleep \(mark) & sleep \(mark)")
        let start = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: ChildError.cancelled) { try await child.run() }
            }
            while (try? running(mark))?.count != 2, ContinuousClock.now - start < .seconds(20) {
                await Task.yield()
            }
            group.cancelAll()
        }
        #expect(ContinuousClock.now - start < .seconds(20))
        // They are killed when run returns, and gone a moment later.
        try await eventually { try running(mark).isEmpty }
    }

    /// Processes, zombies apart, of `sleep` with this argument.
    private func running(_ mark: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            // A process may end while we look.
            guard Int(name) != nil,
                let line = try? Data(contentsOf: URL(filePath: "/proc/\(name)/cmdline"))
            else { return false }
            return line == Data("sleep\0\(mark)\0".utf8)
        }
    }
}

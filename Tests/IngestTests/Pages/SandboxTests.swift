import ChildProcess
import Foundation
import TestSupport
import Testing

@testable import Ingest

@Suite("Sandbox", .serialized)
struct SandboxTests {
    /// Started by a shell of the same user, whose environment it could read.
    private func held(_ launcher: [String]) async throws -> Protections {
        let command =
            launcher + ["/bin/sh", "-c", "\"$0\" sandbox; exit $?"]
            + [try environment("TEST_BINARIES") + "/ingest"]
        let child = ChildProcess(
            executable: command[0], arguments: Array(command.dropFirst()),
            outputByteCountMax: 4096)
        return try SandboxCommand.decode(try await child.run().stdout)
    }

    @Test("holds a reader of documents in every way, whatever user starts it")
    func everything() async throws {
        #expect(try await held([]).names(inForce: false) == (isRoot ? [] : ["own user"]))
    }

    @Test("holds it without root's rights, as in a container that dropped them all")
    func unprivileged() async throws {
        guard isRoot else { return }
        let launcher = [
            "/usr/bin/setpriv", "--reuid=10001", "--regid=10001", "--clear-groups",
            "--bounding-set=-all", "--inh-caps=-all",
        ]
        #expect(try await held(launcher).names(inForce: false) == ["own user"])
    }

    private var isRoot: Bool { geteuid() == 0 }
}

import Foundation
import TestSupport
import Testing

@Suite("The API document, by tools that are not ours") struct DocumentedAPITests {
    @Test("is valid OpenAPI 3.1")
    func valid() async throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().path()
        try await runToEnd(
            tool("openapi-spec-validator"),
            ["--schema", "3.1", folder + "../../Services/gateway/Web/openapi.json"])
    }

    /// Schemathesis makes requests from the document, right and wrong ones, and holds each answer
    /// against it.
    @Test("says what the services do", .timeLimit(.minutes(15)))
    func conformance() async throws {
        // Instant models, and an engine that others leave alone: what is asked here is not how well they
        // answer under load.
        let models = try scriptedModels("documented")
        try await VectorEngine.run { engine in
            let own = ["QDRANT_URL": engine.url]
            try await withDeployment(settings: models.merging(own) { $1 }) { deployment, replica in
                try await conform(deployment, replica)
            }
        }
    }

    private func conform(_ deployment: Deployment, _ replica: Deployment.Replica) async throws {
        let admin = try await deployment.operatorMember(at: replica)
        let given = ProcessInfo.processInfo.environment
        let seed = given["SCHEMATHESIS_SEED"] ?? "1"
        let count = given["SCHEMATHESIS_EXAMPLES"] ?? "10"
        let report = try await runToEnd(
            tool("schemathesis"),
            [
                "--config-file", try TestSupport.environment("TEST_SCHEMATHESIS_CONFIG"), "run",
                replica.address + "/openapi.json", "--header",
                "Authorization: Bearer \(admin.token)", "--checks", "all", "--max-examples",
                count, "--seed", seed,
                "--request-timeout", "60", "--max-response-time", "60",
            ], in: deployment.folder)
        let tested = try #require(report.firstMatch(of: /Tested: (\d+)/)).1
        #expect(report.contains("Selected: \(tested)/\(tested)"), "\(report)")
    }

    private func tool(_ name: String) throws -> String {
        try TestSupport.environment("TEST_TOOLS") + "/" + name
    }
}

import Foundation
import TestSupport
import Testing

@Suite("The API document, by tools that are not ours") struct DocumentedAPITests {
    @Test("is valid OpenAPI 3.1")
    func valid() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().path()
        try runToEnd(
            tool("openapi-spec-validator"),
            ["--schema", "3.1", folder + "../../Services/gateway/Web/openapi.json"])
    }

    /// Schemathesis makes requests from the document, right and wrong ones, and holds each answer
    /// against it.
    @Test("says what the services do", .timeLimit(.minutes(5)))
    func conformance() async throws {
        // Instant models: what is asked here is not how well they answer, and others wait for the real ones.
        let scripted = try TestSupport.environment("TEST_SCRIPTED_URL")
        let models = [
            "OPENAI_BASE_URL": scripted, "OPENAI_CHAT_MODEL": "documented",
            "OPENAI_EMBED_BASE_URL": scripted, "OPENAI_EMBED_MODEL": "documented-passages",
            "OPENAI_EMBED_QUERY_BASE_URL": scripted,
            "OPENAI_EMBED_QUERY_MODEL": "documented-questions",
        ]
        try await withDeployment(settings: models) { deployment, replica in
            let admin = try await deployment.operatorMember(at: replica)
            let given = ProcessInfo.processInfo.environment
            let seed = given["SCHEMATHESIS_SEED"] ?? "1"
            let count = given["SCHEMATHESIS_EXAMPLES"] ?? "10"
            let report = try runToEnd(
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
    }

    private func tool(_ name: String) throws -> String {
        try TestSupport.environment("TEST_TOOLS") + "/" + name
    }
}

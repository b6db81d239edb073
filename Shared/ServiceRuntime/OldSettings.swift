/// What the environment files of the service we replace may still hold.
enum OldSettings {
    private static let ignoredNames: Set<String> = [
        "MANIFEST_PATH", "UPLOADS_DIR", "OAUTH2_TRUST_HEADERS", "OAUTH2_USERINFO_URL",
    ]
    private static let ignoredPrefixes = ["DOCS_", "INGEST_"]
    /// Ours, under a prefix of theirs.
    private static let known: Set<String> = ["INGEST_URL", "INGEST_ROLES", "INGEST_CONCURRENCY"]

    /// Set, and without any effect here.
    static func ignored(in values: [String: String]) -> [String] {
        values.filter { !$0.value.isEmpty }.keys.filter { name in
            guard !known.contains(name) else { return false }
            return ignoredNames.contains(name) || ignoredPrefixes.contains { name.hasPrefix($0) }
        }.sorted()
    }

    /// Ignoring this one would turn a deployment that trusted its proxy into one that answers
    /// nobody, and honouring it would let anybody be anyone.
    static func refuse(in values: [String: String], into problems: inout [String]) {
        let text = values["OAUTH2_TRUST_HEADERS"]?.lowercased() ?? ""
        if ["true", "1", "yes", "on"].contains(text) {
            problems.append(
                "OAUTH2_TRUST_HEADERS is set: identity headers are never trusted, only tokens are")
        }
    }
}

import ObjectStorage
import Retrieval
import ServiceRuntime

/// All that ingest reads from its environment.
struct IngestSettings: Sendable {
    /// What this process does: workers scale apart from the routes.
    enum Role: String, Sendable, CaseIterable {
        case api
        case worker
    }

    let runtime: RuntimeSettings
    let http: HTTPSettings
    let database: DatabaseSettings
    let qdrant: QdrantSettings
    let models: ModelSettings
    let internalKeys: InternalAuthSettings
    let storage: StorageConfiguration
    let byteCountMax: Int
    let uploadWaitSeconds: Int
    let roles: Set<Role>
    let concurrency: Int
    let extraction: ExtractionLimits

    init(from reader: inout SettingsReader) {
        runtime = RuntimeSettings(from: &reader)
        http = HTTPSettings(from: &reader, defaultPort: 8102)
        database = DatabaseSettings(from: &reader)
        qdrant = QdrantSettings(from: &reader)
        models = ModelSettings(from: &reader)
        internalKeys = InternalAuthSettings(from: &reader)
        storage = StorageConfiguration(
            from: &reader, certificateFile: runtime.certificateFile)
        byteCountMax = reader.count("MAX_UPLOAD_MB", default: 25, in: 1...1024) << 20
        uploadWaitSeconds = reader.count("UPLOAD_WAIT_SECONDS", default: 10, in: 0...50)
        roles = Self.roles(from: &reader)
        concurrency = reader.count("INGEST_CONCURRENCY", default: 2, in: 1...64)
        extraction = Self.extraction(from: &reader)
    }

    var index: IndexSettings {
        IndexSettings(
            passageModel: models.embedding.model, questionModel: models.embedding.questionModel,
            dimensionCount: models.embedding.dimensionCount,
            windowTokenCount: models.embedding.windowTokenCount)
    }

    private static func roles(from reader: inout SettingsReader) -> Set<Role> {
        let words = reader.list("INGEST_ROLES", default: Role.allCases.map(\.rawValue))
        let roles = words.compactMap { Role(rawValue: $0.lowercased()) }
        if roles.count != words.count || roles.isEmpty {
            reader.problem("INGEST_ROLES must be api, worker or both, with a comma between")
        }
        return Set(roles)
    }

    private static func extraction(from reader: inout SettingsReader) -> ExtractionLimits {
        var limits = ExtractionLimits()
        limits.wallSeconds = reader.count(
            "EXTRACT_SECONDS", default: limits.wallSeconds, in: 1...3600)
        limits.cpuSeconds = limits.wallSeconds
        limits.addressSpaceByteCount =
            reader.count(
                "EXTRACT_MEMORY_MB", default: limits.addressSpaceByteCount >> 20, in: 256...65_536)
            << 20
        limits.outputByteCountMax =
            reader.count("EXTRACT_TEXT_MB", default: limits.outputByteCountMax >> 20, in: 1...1024)
            << 20
        return limits
    }
}

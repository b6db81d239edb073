import Domain
import ObjectStorage
import Retrieval
import ServiceRuntime
import StorageSettings

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
    /// Searches of a generation that is about to be swapped in are as chat's.
    let fusion: FusionSettings
    /// Retired generations that stay to go back to.
    let generationsKeptCount: Int
    /// Share of what the live generation finds, 0…1; 0 reports only.
    let reindexOverlapMin: Double
    let internalKeys: InternalAuthSettings
    let storage: StorageConfiguration
    let byteCountMax: Int
    let uploadWaitSeconds: Int
    let userLimits: UserLimits
    let retention: Retention
    let roles: Set<Role>
    let concurrency: Int
    /// Requests to the embedding endpoint at a time.
    let embedConcurrency: Int
    let extraction: ExtractionLimits

    init(from reader: inout SettingsReader) {
        runtime = RuntimeSettings(from: &reader)
        http = HTTPSettings(from: &reader, defaultPort: 8102)
        database = DatabaseSettings(from: &reader)
        qdrant = QdrantSettings(from: &reader)
        models = ModelSettings(from: &reader)
        fusion = FusionSettings(from: &reader)
        generationsKeptCount = reader.count("GENERATIONS_KEPT", default: 1, in: 0...100)
        reindexOverlapMin = reader.number("REINDEX_OVERLAP_MIN", default: 0, in: 0...1)
        internalKeys = InternalAuthSettings(from: &reader)
        storage = StorageConfiguration(
            from: &reader, certificateFile: runtime.certificateFile)
        byteCountMax = reader.count("MAX_UPLOAD_MB", default: 25, in: 1...1024) << 20
        uploadWaitSeconds = reader.count("UPLOAD_WAIT_SECONDS", default: 10, in: 0...50)
        userLimits = Self.userLimits(from: &reader)
        retention = Retention(
            conversationDays: reader.optionalCount(
                "RETENTION_CONVERSATION_DAYS", in: 1...36_500),
            uploadDays: reader.optionalCount("RETENTION_UPLOAD_DAYS", in: 1...36_500),
            auditDays: reader.optionalCount("RETENTION_AUDIT_DAYS", in: 1...36_500))
        roles = Self.roles(from: &reader)
        concurrency = reader.count("INGEST_CONCURRENCY", default: 2, in: 1...64)
        embedConcurrency = reader.count("EMBED_CONCURRENCY", default: 2, in: 1...64)
        extraction = Self.extraction(from: &reader)
    }

    var index: IndexSettings {
        IndexSettings(
            passageModel: models.embedding.model, questionModel: models.embedding.questionModel,
            dimensionCount: models.embedding.dimensionCount,
            windowTokenCount: models.embedding.windowTokenCount)
    }

    private static func userLimits(from reader: inout SettingsReader) -> UserLimits {
        UserLimits(
            storedByteCountMax: reader.count(
                "USER_STORAGE_MB", default: 5120, in: 1...1_048_576) << 20,
            fileCountMax: reader.count("USER_FILES_MAX", default: 10_000, in: 1...1_000_000),
            uploadCountMax: reader.count("USER_UPLOADS_MAX", default: 16, in: 1...1000))
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
        limits.recognitionSeconds = reader.count(
            "EXTRACT_OCR_SECONDS", default: limits.recognitionSeconds, in: 1...7200)
        limits.reading.recognisedPageCountMax = reader.count(
            "EXTRACT_OCR_PAGES", default: limits.reading.recognisedPageCountMax, in: 0...2000)
        limits.reading.pageCountMax = reader.count(
            "EXTRACT_PAGES", default: limits.reading.pageCountMax, in: 1...100_000)
        limits.reading.pixelCountMax =
            reader.count(
                "EXTRACT_MEGAPIXELS", default: limits.reading.pixelCountMax / 1_000_000,
                in: 1...1000) * 1_000_000
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

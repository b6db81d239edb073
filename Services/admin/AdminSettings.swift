import Git
import ObjectStorage
import Retrieval
import ServiceRuntime
import StorageSettings

/// All that admin reads from its environment.
struct AdminSettings: Sendable {
    let runtime: RuntimeSettings
    let http: HTTPSettings
    let database: DatabaseSettings
    let qdrant: QdrantSettings
    let models: ModelSettings
    let internalKeys: InternalAuthSettings
    let storage: StorageConfiguration
    /// Nil where no repository is configured.
    let trainingMaterials: TrainingSettings?
    let trainingTarget: String
    let syncsOnStart: Bool
    /// From one sync by itself to the next; nil is never.
    let syncIntervalSeconds: Int?

    init(from reader: inout SettingsReader) {
        runtime = RuntimeSettings(from: &reader)
        http = HTTPSettings(from: &reader, defaultPort: 8103)
        database = DatabaseSettings(from: &reader)
        qdrant = QdrantSettings(from: &reader)
        models = ModelSettings(from: &reader)
        internalKeys = InternalAuthSettings(from: &reader)
        storage = StorageConfiguration(from: &reader, certificateFile: runtime.certificateFile)
        trainingMaterials = TrainingSettings(from: &reader)
        trainingTarget = reader.text("TRAINING_MATERIALS_REF", default: "origin/main")
        if GitTarget(trainingTarget) == nil {
            reader.problem("TRAINING_MATERIALS_REF is no name of a branch, tag or commit")
        }
        syncsOnStart = reader.bool("TRAINING_MATERIALS_SYNC_ON_START", default: false)
        syncIntervalSeconds = reader.optionalCount(
            "TRAINING_MATERIALS_SYNC_SECONDS", in: 60...604_800)
    }

    var index: IndexSettings {
        IndexSettings(
            passageModel: models.embedding.model, questionModel: models.embedding.questionModel,
            dimensionCount: models.embedding.dimensionCount,
            windowTokenCount: models.embedding.windowTokenCount)
    }
}

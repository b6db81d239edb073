import Git
import ObjectStorage
import Retrieval
import ServiceRuntime
import StorageSettings

/// All that admin reads from its environment.
struct AdminSettings: Sendable {
    /// The training materials; nil where no repository is configured.
    struct TrainingMaterials: Sendable {
        let remote: GitRemoteURL
        let path: String
        /// A child that works longer is killed: a remote may accept and never answer.
        let deadline: Duration
    }

    let runtime: RuntimeSettings
    let http: HTTPSettings
    let database: DatabaseSettings
    let qdrant: QdrantSettings
    let models: ModelSettings
    let internalKeys: InternalAuthSettings
    let storage: StorageConfiguration
    let trainingMaterials: TrainingMaterials?
    let trainingTarget: String
    let syncsOnStart: Bool

    init(from reader: inout SettingsReader) {
        runtime = RuntimeSettings(from: &reader)
        http = HTTPSettings(from: &reader, defaultPort: 8103)
        database = DatabaseSettings(from: &reader)
        qdrant = QdrantSettings(from: &reader)
        models = ModelSettings(from: &reader)
        internalKeys = InternalAuthSettings(from: &reader)
        storage = StorageConfiguration(from: &reader, certificateFile: runtime.certificateFile)
        trainingMaterials = Self.trainingMaterials(from: &reader)
        trainingTarget = reader.text("TRAINING_MATERIALS_REF", default: "origin/main")
        if GitTarget(trainingTarget) == nil {
            reader.problem("TRAINING_MATERIALS_REF is no name of a branch, tag or commit")
        }
        syncsOnStart = reader.bool("TRAINING_MATERIALS_SYNC_ON_START", default: false)
    }

    var index: IndexSettings {
        IndexSettings(
            passageModel: models.embedding.model, questionModel: models.embedding.questionModel,
            dimensionCount: models.embedding.dimensionCount,
            windowTokenCount: models.embedding.windowTokenCount)
    }

    private static func trainingMaterials(
        from reader: inout SettingsReader
    ) -> TrainingMaterials? {
        let path = reader.text("TRAINING_MATERIALS_PATH", default: "./training-materials")
        let deadline = reader.seconds(
            "TRAINING_MATERIALS_GIT_SECONDS", default: 40, in: 1...45)
        guard let url = reader.optionalText("TRAINING_MATERIALS_REPO_URL") else { return nil }
        guard let remote = GitRemoteURL(url) else {
            reader.problem(
                "TRAINING_MATERIALS_REPO_URL must begin with https://, http:// or file://, or be "
                    + "a path")
            return nil
        }
        return TrainingMaterials(remote: remote, path: path, deadline: deadline)
    }
}

package import Domain
package import ModelEndpoint
import TextAnalysis

/// What the settings say about an index, and what an index made with them is.
package struct IndexSettings: Sendable, Hashable {
    package let passageModel: String
    package let questionModel: String
    /// Nil: the size the model gives by itself.
    package let dimensionCount: Int?
    /// Of the passage model.
    package let windowTokenCount: Int

    package init(
        passageModel: String, questionModel: String, dimensionCount: Int?, windowTokenCount: Int
    ) {
        self.passageModel = passageModel
        self.questionModel = questionModel
        self.dimensionCount = dimensionCount
        self.windowTokenCount = windowTokenCount
    }

    /// Asks the model for its size where the settings do not say it.
    package func description(
        asking models: ModelEndpoint
    ) async throws(ModelError) -> IndexDescription {
        let size: Int
        if let dimensionCount {
            size = dimensionCount
        } else {
            let probe = try await models.embed(
                ["size"], as: .passage, model: passageModel, deadline: .seconds(30))
            size = probe.vectors.first?.count ?? 0
        }
        return IndexDescription(
            passageModel: passageModel, questionModel: questionModel, dimensionCount: size,
            chunkingVersion: Chunking.version(windowTokenCount: windowTokenCount),
            analysisVersion: Analyser.version, namesSize: dimensionCount != nil)
    }
}

/// One physical collection in the vector engine and the model that fills it.
package struct Generation: Sendable, Hashable {
    package enum State: String, Sendable, Codable {
        /// Being filled beside the live one.
        case building
        /// The one questions go to; there is exactly one.
        case live
        /// Replaced, and kept to go back to; or given up, until its collection is gone.
        case retired
        /// Its collection is gone.
        case dropped
    }

    /// 1, 2, 3 … in the order of making.
    package let number: Int
    package let state: State
    package let index: IndexDescription
    package let collection: String

    package init(number: Int, state: State, index: IndexDescription, collection: String) {
        self.number = number
        self.state = state
        self.index = index
        self.collection = collection
    }
}

extension Generation {
    /// Whether a collection has the name of a generation, `<base>__<fingerprint>__<number>`, and none
    /// that others may have given alike.
    package static func isCollection(_ name: String, base: String) -> Bool {
        guard name.hasPrefix("\(base)__") else { return false }
        let parts = name.dropFirst(base.count + 2).split(
            separator: "__", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count == 8, Int(parts[1]) != nil else { return false }
        return parts[0].utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
    }

    /// What jobs about one are about.
    package static func subject(_ number: Int) -> String { "generation \(number)" }
}

/// All that two vectors must share to be comparable. Its fingerprint names the collection.
package struct IndexDescription: Sendable, Hashable, Codable {
    /// The model for passages, and the one for questions: often the same.
    package var passageModel: String
    package var questionModel: String
    /// Length of a dense vector.
    package var dimensionCount: Int
    package var chunkingVersion: String
    /// Analyser, term hash, k1, b and average length of the sparse vectors.
    package var analysisVersion: String
    /// Whether the endpoint is asked for that length, which many refuse to be; nil where that was
    /// not written down. No part of the fingerprint: the vectors are the same.
    package var namesSize: Bool?

    package init(
        passageModel: String, questionModel: String, dimensionCount: Int, chunkingVersion: String,
        analysisVersion: String, namesSize: Bool? = nil
    ) {
        self.passageModel = passageModel
        self.questionModel = questionModel
        self.dimensionCount = dimensionCount
        self.chunkingVersion = chunkingVersion
        self.analysisVersion = analysisVersion
        self.namesSize = namesSize
    }

    /// Eight hexadecimal digits over every field.
    package var fingerprint: String { digits(of: all) }

    /// What an embedding in Postgres is valid for: the passage model and its size alone.
    package var modelFingerprint: String { digits(of: "\(passageModel)\n\(dimensionCount)") }

    /// The collection's name in the vector engine: `<base>__<fingerprint>__<number>`.
    package func collection(base: String, number: Int) -> String {
        "\(base)__\(fingerprint)__\(number)"
    }

    private var all: String {
        [
            passageModel, questionModel, String(dimensionCount), chunkingVersion, analysisVersion,
        ].joined(separator: "\n")
    }

    private func digits(of text: String) -> String {
        let id = Identifier<IndexDescription>(namespace: Tenant.only.rawValue, name: text)
        return String(id.description.prefix(8))
    }
}

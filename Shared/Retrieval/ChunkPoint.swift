package import Database
package import Domain
package import Qdrant
import TextAnalysis

extension Point {
    /// A chunk as the engine is to hold it: whoever writes one writes this.
    ///
    /// - Parameter dense: the embedding of the chunk's `embeddedText`.
    package init(_ chunk: Chunk, dense: [Float], of shown: ShownRevision) {
        self.init(
            chunkID: chunk.id, dense: dense,
            sparse: Analyser.sparse(document: chunk.embeddedText, language: chunk.language),
            payload: PointPayload(
                documentID: shown.document, revisionID: shown.revision, owner: shown.owner,
                kind: shown.kind, language: chunk.language))
    }
}

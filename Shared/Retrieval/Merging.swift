import Domain

/// One list out of what the named attachments and everything else gave.
enum Merging {
    /// Attachments come first and each is there, as far as there is room; where both have enough,
    /// the attachments take the larger half. Nothing is there twice, however often it was found and
    /// in however many files it stands; neighbours are one.
    static func merged(
        attachments: [RetrievedChunk], others: [RetrievedChunk], topK: Int
    ) -> [RetrievedChunk] {
        var known: Set<Chunk.ID> = []
        var duplicates = NearDuplicates()
        let named = Neighbours.joined(
            firstOfEachFirst(attachments).filter { chunk in
                known.insert(chunk.chunk.id).inserted
                    && duplicates.isNew(chunk, represents: true)
            })
        let rest = Neighbours.joined(
            others.filter { chunk in
                known.insert(chunk.chunk.id).inserted && duplicates.isNew(chunk)
            })
        let documentCount = Set(attachments.map(\.documentID)).count
        let share = max(documentCount, (topK + 1) / 2, topK - rest.count)
        let first = named.prefix(min(share, topK))
        let chunks = first + (rest + named.dropFirst(first.count)).prefix(topK - first.count)
        return withoutRisingScores(Array(chunks))
    }

    /// The best chunk of every document before the second of any.
    private static func firstOfEachFirst(_ chunks: [RetrievedChunk]) -> [RetrievedChunk] {
        var seen: Set<Document.ID> = []
        var first: [RetrievedChunk] = []
        var rest: [RetrievedChunk] = []
        for chunk in chunks {
            if seen.insert(chunk.documentID).inserted {
                first.append(chunk)
            } else {
                rest.append(chunk)
            }
        }
        return first + rest
    }

    /// The order is the statement; scores of two searches do not compare.
    private static func withoutRisingScores(_ chunks: [RetrievedChunk]) -> [RetrievedChunk] {
        var lowest = Double.infinity
        return chunks.map { chunk in
            lowest = min(lowest, chunk.score)
            var chunk = chunk
            chunk.score = lowest
            return chunk
        }
    }
}

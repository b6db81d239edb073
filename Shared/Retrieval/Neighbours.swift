import Domain

/// Chunks of a list that follow one another in their document, read as one.
enum Neighbours {
    /// Of chunks that are joined: about 1,500 tokens.
    fileprivate static let joinedCountMax = 3

    /// In the order of the best of each.
    static func joined(_ chunks: [RetrievedChunk]) -> [RetrievedChunk] {
        var joined: [RetrievedChunk] = []
        for chunk in chunks {
            let touched = joined.indices.first { joined[$0].joined(with: chunk) != nil }
            guard let index = touched, let both = joined[index].joined(with: chunk) else {
                joined.append(chunk)
                continue
            }
            joined[index] = both
            // It may have closed the gap to another.
            let others = joined.indices.filter { $0 != index }
            if let next = others.first(where: { joined[$0].joined(with: both) != nil }),
                let all = joined[next].joined(with: both)
            {
                joined[min(index, next)] = all
                joined.remove(at: max(index, next))
            }
        }
        return joined
    }
}

extension RetrievedChunk {
    /// With a neighbour of it, whichever comes first in the document; nil when it is none, or they
    /// would be too long.
    fileprivate func joined(with other: RetrievedChunk) -> RetrievedChunk? {
        guard documentID == other.documentID,
            chunk.joinedCount + other.chunk.joinedCount <= Neighbours.joinedCountMax
        else { return nil }
        guard let both = chunk.joined(with: other.chunk) ?? other.chunk.joined(with: chunk) else {
            return nil
        }
        return RetrievedChunk(
            chunk: both, documentID: documentID, kind: kind, title: title, path: path, url: url,
            tags: tags,
            score: max(score, other.score))
    }
}

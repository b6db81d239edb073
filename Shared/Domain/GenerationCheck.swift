/// What was found before a generation is swapped in: figures alone, since questions are members' own.
///
/// Kept as JSON and told to operators as it is.
package struct GenerationCheck: Sendable, Hashable, Codable {
    package struct Counts: Sendable, Hashable, Codable {
        package let documents: Int
        package let chunks: Int
        /// As the vector engine counts them. Those of texts that were replaced may still be there.
        package let points: Int
        /// What Postgres has vectors for.
        package let pointsExpected: Int

        package init(documents: Int, chunks: Int, points: Int, pointsExpected: Int) {
            self.documents = documents
            self.chunks = chunks
            self.points = points
            self.pointsExpected = pointsExpected
        }

        private enum CodingKeys: String, CodingKey {
            case documents, chunks, points
            case pointsExpected = "points_expected"
        }
    }

    /// Unix seconds.
    package let checkedAt: Int
    package let live: Counts
    package let next: Counts
    package let questions: AnswerOverlap

    package init(checkedAt: Int, live: Counts, next: Counts, questions: AnswerOverlap) {
        self.checkedAt = checkedAt
        self.live = live
        self.next = next
        self.questions = questions
    }

    private enum CodingKeys: String, CodingKey {
        case live, next, questions
        case checkedAt = "checked_at"
    }

    /// - Parameter overlapMin: 0…1, of documents; 0 blocks nothing.
    package func blockers(overlapMin: Double) -> [GenerationBlocker] {
        var blockers: [GenerationBlocker] = []
        if next.points < next.pointsExpected { blockers.append(.pointsMissing) }
        if questions.isNextModelAway { blockers.append(.questionModelAway) }
        if let overlap = questions.documentOverlap, overlap < overlapMin {
            blockers.append(.overlapLow)
        }
        return blockers
    }
}

/// How far two generations find the same for questions that members asked lately.
package struct AnswerOverlap: Sendable, Hashable, Codable {
    /// Unix seconds.
    package let askedAt: Int
    /// Questions there were, and those that both generations were asked.
    package let sampled: Int
    package let compared: Int
    /// How many chunks from the top count.
    package let topK: Int
    /// Means over the compared questions, 0…1: the share of what either found that both found. Nil
    /// when nothing was compared; of chunks also when the two are cut differently.
    package let documentOverlap: Double?
    package let chunkOverlap: Double?
    /// The generation's recorded question model gives no vector of the recorded size.
    package let isLiveModelAway: Bool
    package let isNextModelAway: Bool

    package init(
        askedAt: Int, sampled: Int, compared: Int, topK: Int, documentOverlap: Double?,
        chunkOverlap: Double?, isLiveModelAway: Bool, isNextModelAway: Bool
    ) {
        self.askedAt = askedAt
        self.sampled = sampled
        self.compared = compared
        self.topK = topK
        self.documentOverlap = documentOverlap
        self.chunkOverlap = chunkOverlap
        self.isLiveModelAway = isLiveModelAway
        self.isNextModelAway = isNextModelAway
    }

    private enum CodingKeys: String, CodingKey {
        case sampled, compared
        case askedAt = "asked_at"
        case topK = "top_k"
        case documentOverlap = "document_overlap"
        case chunkOverlap = "chunk_overlap"
        case isLiveModelAway = "live_model_away"
        case isNextModelAway = "next_model_away"
    }

    package func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: CodingKeys.self)
        try body.encode(askedAt, forKey: .askedAt)
        try body.encode(sampled, forKey: .sampled)
        try body.encode(compared, forKey: .compared)
        try body.encode(topK, forKey: .topK)
        // Null where there is none.
        try body.encode(documentOverlap, forKey: .documentOverlap)
        try body.encode(chunkOverlap, forKey: .chunkOverlap)
        try body.encode(isLiveModelAway, forKey: .isLiveModelAway)
        try body.encode(isNextModelAway, forKey: .isNextModelAway)
    }
}

/// Why a generation that is otherwise ready is not swapped in. An operator may want it all the same.
package enum GenerationBlocker: String, Sendable, CaseIterable, Codable {
    /// The job that builds it is dead: retry that, or ask for everything to be indexed again.
    case jobDead = "job_dead"
    /// Documents whose jobs are dead: retry those, or do without the documents.
    case deadJobs = "dead_jobs"
    /// The vector engine holds fewer points than were written.
    case pointsMissing = "points_missing"
    /// It finds too little of what the live one finds.
    case overlapLow = "overlap_low"
    /// Questions could not be embedded for it.
    case questionModelAway = "question_model_away"
}

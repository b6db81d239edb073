import Database
import HTTPService

/// A page of members' days, and all that the list counts together.
struct UsagePage: Encodable, Sendable {
    let page: Page<DailyUsageBody>
    let total: UsageTotal

    private enum Key: String, CodingKey { case totals }

    func encode(to encoder: any Encoder) throws {
        try page.encode(to: encoder)
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(Totals(total: total), forKey: .totals)
    }

    private struct Totals: Encodable {
        let total: UsageTotal

        private enum Key: String, CodingKey { case users }

        func encode(to encoder: any Encoder) throws {
            var body = encoder.container(keyedBy: Key.self)
            try body.encode(total.userCount, forKey: .users)
            try UsageFiguresBody(figures: total.figures).encode(to: encoder)
        }
    }
}

struct DailyUsageBody: Encodable, Sendable {
    let usage: DailyUsage

    private enum Key: String, CodingKey { case user, day }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(usage.user, forKey: .user)
        try body.encode(usage.day, forKey: .day)
        try UsageFiguresBody(figures: usage.figures).encode(to: encoder)
    }
}

private struct UsageFiguresBody: Encodable {
    let figures: UsageFigures

    private enum Key: String, CodingKey {
        case promptTokens = "prompt_tokens"
        case completionTokens = "completion_tokens"
        case questions, uploads
        case uploadedBytes = "uploaded_bytes"
    }

    func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(figures.promptTokenCount, forKey: .promptTokens)
        try body.encode(figures.completionTokenCount, forKey: .completionTokens)
        try body.encode(figures.questionCount, forKey: .questions)
        try body.encode(figures.uploadCount, forKey: .uploads)
        try body.encode(figures.uploadedByteCount, forKey: .uploadedBytes)
    }
}

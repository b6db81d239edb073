package import NIOHTTP1

/// When a failed call is worth repeating, and after how long.
enum Retry {
    private static let firstWaitMax: Duration = .milliseconds(200)
    private static let waitMax: Duration = .seconds(10)
    private static let passingStatuses: Set<Int> = [429, 502, 503, 504]

    /// Nil when repeating would not help or would not fit into the time that remains.
    /// Full jitter, so that many callers of one failed peer do not come back together.
    static func wait(
        after result: Result<OutboundHTTP.Answer, OutboundError>, attempt: Int, remaining: Duration
    ) -> Duration? {
        var wait = jitter(attempt: attempt)
        switch result {
        case .success(let answer):
            guard passingStatuses.contains(answer.status) else { return nil }
            if let asked = answer.retryAfter { wait = asked + jitter(attempt: 1) }
        case .failure(.unreachable), .failure(.broken): break
        case .failure: return nil
        }
        return wait < remaining ? wait : nil
    }

    static func reason(_ result: Result<OutboundHTTP.Answer, OutboundError>) -> String {
        switch result {
        case .success(let answer): "\(answer.status)"
        case .failure(let error): "\(error)"
        }
    }

    private static func jitter(attempt: Int) -> Duration {
        let most = min(waitMax, firstWaitMax * (1 << min(attempt - 1, 16)))
        return most * Double.random(in: 0..<1)
    }
}

extension HTTPHeaders {
    /// What `Retry-After` asks for, as seconds or as a date (RFC 9110, 10.2.3). `now` is Unix time.
    package func retryAfter(now: Double) -> Duration? {
        guard let text = first(name: "retry-after") else { return nil }
        if let seconds = Int(text) {
            return seconds >= 0 ? .seconds(Swift.min(seconds, 86_400)) : nil
        }
        guard let moment = HTTPDate.unixSeconds(text) else { return nil }
        return .seconds(Swift.min(Swift.max(0, Double(moment) - now), 86_400))
    }
}

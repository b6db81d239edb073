import OutboundHTTP

/// Why a model gave nothing, or nothing more, by what the caller can do about it.
package enum ModelError: Error, Hashable {
    /// No answer at all: it may be away.
    case unreachable
    case timedOut
    /// Too many requests; later it will work.
    case rateLimited(retryAfter: Duration?)
    /// It will say the same again: key, model name, quota, content. The code is the endpoint's
    /// own, for our logs only.
    case refused(status: Int, code: String)
    /// What was sent does not fit into the model's window.
    case tooLong
    /// The answer was cut before its end.
    case broken
    /// The answer is not of the form it should have.
    case undecodable
    /// Our own task was cancelled.
    case cancelled

    init(_ error: OutboundError) {
        switch error {
        case .unreachable: self = .unreachable
        case .timedOut: self = .timedOut
        case .tooLarge, .undecodable: self = .undecodable
        case .broken: self = .broken
        case .cancelled: self = .cancelled
        case .refused(_, let status, let retryAfter):
            self = ModelError(status: status, retryAfter: retryAfter, refusal: nil)
        }
    }

    /// Sorts a refusal by its status and by what stands in its body, where servers differ.
    init(status: Int, retryAfter: Duration?, refusal: Refusal?) {
        let code = refusal?.code ?? ""
        if refusal?.isTooLong == true {
            self = .tooLong
        } else if status == 429, code != "insufficient_quota" {
            self = .rateLimited(retryAfter: retryAfter)
        } else if status == 408 || status == 504 {
            self = .timedOut
        } else if status >= 500 {
            self = .unreachable
        } else {
            self = .refused(status: status, code: code)
        }
    }
}

/// The error object of OpenAI's interface, as its many servers write it: a string, or an object
/// whose code is a string, a number or missing.
struct Refusal: Decodable {
    let code: String
    let message: String
    let status: Int?

    private enum Key: CodingKey { case error, message, detail }
    private enum InnerKey: CodingKey { case code, type, message }

    init(from decoder: any Decoder) throws {
        let outer = try decoder.container(keyedBy: Key.self)
        // `try?`: whatever form a field has that we do not know, it says nothing to us.
        if let inner = try? outer.nestedContainer(keyedBy: InnerKey.self, forKey: .error) {
            let text = try? inner.decode(String.self, forKey: .code)
            let type = try? inner.decode(String.self, forKey: .type)
            status = try? inner.decode(Int.self, forKey: .code)
            code = String((text ?? type ?? "").prefix(100))
            message = (try? inner.decode(String.self, forKey: .message)) ?? ""
        } else {
            status = nil
            code = ""
            // An answer that has none of these keys is no refusal, and this throws.
            message =
                try (try? outer.decode(String.self, forKey: .error))
                ?? (try? outer.decode(String.self, forKey: .detail))
                ?? outer.decode(String.self, forKey: .message)
        }
    }

    /// OpenAI and vLLM, llama.cpp, TEI and Ollama each have words of their own for it.
    var isTooLong: Bool {
        let codes = ["context_length_exceeded", "exceed_context_size_error"]
        let words = [
            "maximum context length", "context size", "too large to process", "too long",
            "must have less than", "exceeds the context",
        ]
        let lowered = message.lowercased()
        return codes.contains(code) || words.contains { lowered.contains($0) }
    }
}

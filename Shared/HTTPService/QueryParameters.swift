package import Hummingbird

extension Request {
    /// A text of the query, nil when absent or empty.
    ///
    /// - Throws: a problem if it is there twice: two readers could take one each.
    package func parameter(_ name: String) throws -> String? {
        try single(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    private func single(_ name: String) throws -> String? {
        let values = uri.queryParameters[values: name[...]]
        guard values.count < 2 else {
            throw Problem.invalid("/\(name)", "`\(name)` may be given once.")
        }
        return values.first.map { String($0) }
    }

    /// A number of the query, nil when absent. One too long for a machine word is its clamp.
    package func count(_ name: String) throws -> Int? {
        guard let text = try single(name) else { return nil }
        if let value = Int(text) { return value }
        let isNegative = text.hasPrefix("-")
        let digits = isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Problem.invalid("/\(name)", "`\(name)` must be a whole number.")
        }
        return isNegative ? Int.min : Int.max
    }

    /// `wait`: how many seconds the client waits for an answer that takes time, at most 50: ordinary
    /// proxies cut at 60.
    package func waitSeconds(default seconds: Int) throws -> Int {
        min(max(0, try count("wait") ?? seconds), 50)
    }

    /// A yes or no of the query; no when absent.
    package func flag(_ name: String) throws -> Bool {
        switch try single(name)?.lowercased() {
        case nil, "false", "0", "no": return false
        case "true", "1", "yes": return true
        default: throw Problem.invalid("/\(name)", "`\(name)` must be true or false.")
        }
    }
}

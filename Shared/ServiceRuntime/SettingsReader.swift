import FoundationEssentials

/// Reads settings and remembers every problem, so that a bad deployment is mended in one round.
///
/// A setting that is empty counts as not set. Problems name settings and never hold their values.
package struct SettingsReader {
    private let values: [String: String]
    private var problems: [String] = []
    package let appEnvironment: AppEnvironment

    package init(_ values: [String: String]) {
        self.values = values
        switch values["APP_ENV"].flatMap({ $0.isEmpty ? nil : $0.lowercased() }) {
        case nil, "prod", "production": appEnvironment = .prod
        case "dev", "development", "local", "test": appEnvironment = .dev
        default:
            appEnvironment = .prod
            problems.append("APP_ENV must be dev or prod")
        }
        OldSettings.refuse(in: values, into: &problems)
    }

    /// The environment of this process. Only a service's Main calls it.
    package static func ofProcess() -> SettingsReader {
        SettingsReader(ProcessInfo.processInfo.environment)
    }

    package func optionalText(_ name: String) -> String? {
        guard let value = values[name]?.trimmed, !value.isEmpty else { return nil }
        return value
    }

    package mutating func text(_ name: String) -> String { required(name, optionalText(name)) }

    package func text(_ name: String, default fallback: String) -> String {
        optionalText(name) ?? fallback
    }

    /// A setting that only a developer's machine can guess.
    package mutating func text(_ name: String, dev fallback: String) -> String {
        required(name, optionalText(name) ?? (appEnvironment == .dev ? fallback : nil))
    }

    /// The same as `text`; the name says that the value must never be shown.
    package mutating func secret(_ name: String) -> String { text(name) }

    package func optionalSecret(_ name: String) -> String? { optionalText(name) }

    package mutating func optionalCount(_ name: String, in allowed: ClosedRange<Int>) -> Int? {
        guard let text = optionalText(name) else { return nil }
        guard let value = Int(text), allowed.contains(value) else {
            problem(
                "\(name) must be a whole number from \(allowed.lowerBound) to "
                    + "\(allowed.upperBound)")
            return nil
        }
        return value
    }

    package mutating func count(
        _ name: String, default fallback: Int, in allowed: ClosedRange<Int>
    ) -> Int {
        optionalCount(name, in: allowed) ?? fallback
    }

    package mutating func bool(_ name: String, default fallback: Bool) -> Bool {
        switch optionalText(name)?.lowercased() {
        case nil: return fallback
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        default:
            problem("\(name) must be true or false")
            return fallback
        }
    }

    package mutating func number(
        _ name: String, default fallback: Double, in allowed: ClosedRange<Double>
    ) -> Double {
        guard let text = optionalText(name) else { return fallback }
        guard let value = Double(text), allowed.contains(value) else {
            problem("\(name) must be a number from \(allowed.lowerBound) to \(allowed.upperBound)")
            return fallback
        }
        return value
    }

    /// Seconds, also with a fraction.
    package mutating func seconds(
        _ name: String, default fallback: Double, in allowed: ClosedRange<Double>
    ) -> Duration {
        .seconds(number(name, default: fallback, in: allowed))
    }

    /// An address of HTTP, without a slash at its end.
    package mutating func optionalURL(_ name: String) -> String? {
        guard let text = optionalText(name) else { return nil }
        return checkedURL(name, text)
    }

    package mutating func url(_ name: String, default fallback: String) -> String {
        optionalURL(name) ?? fallback
    }

    package mutating func url(_ name: String, dev fallback: String) -> String {
        let text = text(name, dev: fallback)
        return text.isEmpty ? text : checkedURL(name, text) ?? ""
    }

    package mutating func urls(_ name: String, dev fallback: [String]) -> [String] {
        let texts = list(name, default: appEnvironment == .dev ? fallback : [])
        if texts.isEmpty { problem("\(name) is missing") }
        return texts.compactMap { checkedURL(name, $0) }
    }

    /// A JSON list of strings, or words between commas.
    package mutating func list(_ name: String, default fallback: [String] = []) -> [String] {
        guard let text = optionalText(name) else { return fallback }
        guard text.hasPrefix("[") else {
            return text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
        }
        do {
            return try JSONDecoder().decode([String].self, from: Data(text.utf8))
        } catch {
            problem("\(name) must be a JSON list of strings, or words between commas")
            return fallback
        }
    }

    /// A word out of a few.
    package mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ name: String, default fallback: Value
    ) -> Value where Value.RawValue == String {
        guard let text = optionalText(name) else { return fallback }
        guard let value = Value(rawValue: text.lowercased()) else {
            let allowed = Value.allCases.map(\.rawValue).joined(separator: ", ")
            problem("\(name) must be one of \(allowed)")
            return fallback
        }
        return value
    }

    /// For what only the service itself can judge.
    package mutating func problem(_ text: String) { problems.append(text) }

    /// Throws all problems at once. Call it when everything is read.
    package func finish() throws(SettingsError) {
        if !problems.isEmpty { throw SettingsError(problems: problems) }
    }

    /// Settings of the service we replace that are set and mean nothing here.
    package var oldSettings: [String] { OldSettings.ignored(in: values) }

    private mutating func required(_ name: String, _ value: String?) -> String {
        guard let value else {
            problem("\(name) is missing")
            return ""
        }
        return value
    }

    private mutating func checkedURL(_ name: String, _ text: String) -> String? {
        guard let url = URL(string: text), url.scheme == "http" || url.scheme == "https",
            url.host()?.isEmpty == false, url.query() == nil, url.fragment() == nil
        else {
            problem("\(name) must be an address beginning with http:// or https://")
            return nil
        }
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }
}

/// Where a process runs. Unsafe settings are refused everywhere but in `dev`.
package enum AppEnvironment: String, Sendable {
    case dev
    case prod
}

/// Why a service does not start: one line for each setting.
package struct SettingsError: Error, Equatable, CustomStringConvertible {
    package let problems: [String]

    package init(problems: [String]) { self.problems = problems }

    package var description: String {
        "these settings keep the service from starting:\n"
            + problems.map { "  - \($0)" }.joined(separator: "\n")
    }
}

extension String {
    fileprivate var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }),
            let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}

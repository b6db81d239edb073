/// Numbers of one name, each with labels of its own, as Prometheus reads them.
package struct MetricFamily: Sendable {
    /// What Prometheus does with them.
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    private let name: String
    /// One sentence for people.
    private let help: String
    private let kind: Kind
    private var samples: [Sample] = []

    private struct Sample: Sendable {
        /// Behind the family's name: a histogram's `_bucket`, `_sum` and `_count`.
        let suffix: String
        let labels: [(name: String, value: String)]
        let value: Double
    }

    package init(_ name: String, _ kind: Kind, help: String) {
        self.name = name
        self.help = help
        self.kind = kind
    }

    package mutating func add(_ value: some BinaryInteger, _ labels: (String, String)...) {
        samples.append(Sample(suffix: "", labels: labels, value: Double(value)))
    }

    package mutating func add(_ value: Double, _ labels: (String, String)...) {
        samples.append(Sample(suffix: "", labels: labels, value: value))
    }

    package mutating func add(_ histogram: Histogram, _ labels: (String, String)...) {
        var count = 0
        for (bound, added) in zip(histogram.bounds, histogram.counts) {
            count += added
            let bucket = labels + [("le", Self.text(bound))]
            samples.append(Sample(suffix: "_bucket", labels: bucket, value: Double(count)))
        }
        let all = Double(histogram.count)
        samples.append(Sample(suffix: "_bucket", labels: labels + [("le", "+Inf")], value: all))
        samples.append(Sample(suffix: "_sum", labels: labels, value: histogram.sum))
        samples.append(Sample(suffix: "_count", labels: labels, value: all))
    }

    /// In the text format of Prometheus, version 0.0.4.
    package var exposition: String {
        var text = "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            text += name + sample.suffix
            if !sample.labels.isEmpty {
                let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
                text += "{" + labels.joined(separator: ",") + "}"
            }
            text += " \(Self.text(sample.value))\n"
        }
        return text
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("\n", with: "\\n")
    }

    private static func text(_ value: Double) -> String {
        Int(exactly: value).map { String($0) } ?? String(value)
    }
}

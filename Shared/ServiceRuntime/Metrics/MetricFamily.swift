/// Numbers of one name, each with labels of its own, as Prometheus reads them.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    package let name: String
    /// One sentence for people.
    package let help: String
    package let kind: Kind
    package private(set) var samples: [Sample] = []

    package struct Sample: Sendable {
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

/// How many values were how large.
package struct Histogram: Sendable {
    /// Seconds of a request, from what an event loop does at once to a long answer.
    package static let seconds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120,
    ]

    /// Each counts what is not above it and above the one before.
    let bounds: [Double]
    private(set) var counts: [Int]
    private(set) var count = 0
    private(set) var sum = 0.0

    package init(_ bounds: [Double] = Histogram.seconds) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count)
    }

    package mutating func observe(_ value: Double) {
        if let index = bounds.firstIndex(where: { value <= $0 }) { counts[index] += 1 }
        count += 1
        sum += value
    }

    /// Takes in what another of the same bounds has counted.
    package mutating func merge(_ other: Histogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        sum += other.sum
    }
}

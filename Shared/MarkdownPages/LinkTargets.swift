/// Where the relative links of one page lead.
///
/// A page may be a megabyte of links, each to an address a thousand times its length: so what they
/// add has a bound, and no target is looked up twice.
struct LinkTargets {
    private static let growthByteCountMax = 256 << 10
    /// Of different targets. Beyond it, no page is written by a person.
    private static let countMax = 10_000

    /// That the page is in, by its parts.
    private let folder: [Substring]
    private let address: (String) -> String?
    private var addresses: [String: String?] = [:]
    private var growthByteCount = 0

    /// - Parameter path: the page's, in the repository.
    init(of path: String, address: @escaping (String) -> String?) {
        folder = Array(path.split(separator: "/").dropLast())
        self.address = address
    }

    /// The whole address of a relative target; nil for one that is whole, leads nowhere, or would
    /// make the page too long.
    mutating func whole(_ target: Substring) -> String? {
        let file = target.prefix { $0 != "#" && $0 != "?" }
        guard let address = findAddress(file) else { return nil }
        let growth = address.utf8.count - file.utf8.count
        guard growthByteCount + growth <= Self.growthByteCountMax else { return nil }
        growthByteCount += growth
        return address + target[file.endIndex...]
    }

    private mutating func findAddress(_ file: Substring) -> String? {
        // With a scheme, with a host, or an anchor.
        let scheme = file.prefix { $0 != "/" }
        guard !file.isEmpty, !file.hasPrefix("//"), !scheme.contains(":") else { return nil }
        let name = String(file)
        if let known = addresses[name] { return known }
        guard addresses.count < Self.countMax else { return nil }
        let found = resolve(file).flatMap(address)
        addresses.updateValue(found, forKey: name)
        return found
    }

    /// Nil when it leads out of the repository.
    private func resolve(_ target: Substring) -> String? {
        var parts = target.hasPrefix("/") ? [] : folder
        for part in target.split(separator: "/") {
            switch part {
            case ".": continue
            case "..":
                if parts.popLast() == nil { return nil }
            default: parts.append(part)
            }
        }
        let end = target.hasSuffix("/") ? "/" : ""
        return Self.percentDecoded(parts.joined(separator: "/")) + end
    }

    private static func percentDecoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let first = rest.popFirst() {
            if first == UInt8(ascii: "%"), rest.count >= 2,
                let byte = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(first)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

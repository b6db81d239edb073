internal import FoundationEssentials

/// The names of the members of a JSON text's objects.
enum JSONMembers {
    /// What reading an escape costs is not to be multiplied by a stranger: issuers escape few names.
    private static let escapedCountMax = 32

    /// Whether some object has two members of one name: readers differ in which of them counts
    /// (RFC 8725, section 2.4; RFC 7515, section 4, lets a reader refuse them). More escaped names
    /// than issuers write count as such. Of what is not JSON it says nothing of use.
    static func repeats(in json: [UInt8]) -> Bool {
        /// Of the objects around this place, outermost first; nil stands for an array.
        var names: [Set<String>?] = []
        var isNameNext = false
        var escapedCount = 0
        var index = 0
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "{"):
                names.append([])
                isNameNext = true
            case UInt8(ascii: "["):
                names.append(nil)
                isNameNext = false
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = names.popLast()
                isNameNext = false
            case UInt8(ascii: ","):
                isNameNext = names.last.flatMap { $0 } != nil
            case UInt8(ascii: "\""):
                let end = endOfString(from: index, in: json)
                if isNameNext, let innermost = names.indices.last {
                    let name = json[index..<end]
                    if name.contains(UInt8(ascii: "\\")) { escapedCount += 1 }
                    if escapedCount > escapedCountMax { return true }
                    if names[innermost]?.insert(text(name)).inserted == false { return true }
                }
                isNameNext = false
                index = end
                continue
            default: break
            }
            index += 1
        }
        return false
    }

    /// Behind its closing quote.
    private static func endOfString(from start: Int, in json: [UInt8]) -> Int {
        var index = start + 1
        while index < json.count, json[index] != UInt8(ascii: "\"") {
            index += json[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, json.count)
    }

    /// With its escapes read: `"\u0065xp"` is `"exp"`.
    private static func text(_ quoted: ArraySlice<UInt8>) -> String {
        let plain = String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
        if !quoted.contains(UInt8(ascii: "\\")) { return plain }
        // What cannot be read is no JSON, which is refused elsewhere.
        return (try? JSONDecoder().decode(String.self, from: Data(quoted))) ?? plain
    }
}

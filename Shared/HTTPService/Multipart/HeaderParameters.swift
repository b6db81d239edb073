/// A header value of the form `token; name=value; name="quoted value"`.
struct HeaderParameters: Hashable {
    /// Lower case.
    let token: String
    /// Names in lower case.
    private(set) var parameters: [String: String] = [:]

    // Scalars, not characters: a combining mark after a quote must not hide the quote.
    private typealias Text = Substring.UnicodeScalarView

    /// Nil when it is not of that form, or names a parameter twice.
    init?(_ value: String) {
        var rest = Substring(value).unicodeScalars
        token = Self.trimmed(rest.prefix { $0 != ";" }).lowercased()
        guard !token.isEmpty else { return nil }
        rest = rest.drop { $0 != ";" }
        while !rest.isEmpty {
            rest = rest.dropFirst().drop(while: Self.isSpace)
            if rest.isEmpty { break }
            guard let parameter = Self.parameter(&rest),
                parameters.updateValue(parameter.value, forKey: parameter.name) == nil
            else { return nil }
        }
    }

    /// Takes `name=value` off the front, up to the next semicolon.
    private static func parameter(_ rest: inout Text) -> (name: String, value: String)? {
        let name = trimmed(rest.prefix { $0 != "=" && $0 != ";" }).lowercased()
        rest = rest.drop { $0 != "=" && $0 != ";" }
        guard !name.isEmpty, rest.first == "=" else { return nil }
        rest = rest.dropFirst().drop(while: isSpace)
        let value: String
        if rest.first == "\"" {
            guard let quoted = quotedString(&rest) else { return nil }
            value = quoted
        } else {
            value = trimmed(rest.prefix { $0 != ";" })
            rest = rest.drop { $0 != ";" }
        }
        rest = rest.drop(while: isSpace)
        guard rest.isEmpty || rest.first == ";" else { return nil }
        return (name, value)
    }

    /// A backslash escapes a quote or a backslash only: some browsers send whole Windows paths.
    private static func quotedString(_ rest: inout Text) -> String? {
        var value = String.UnicodeScalarView()
        rest = rest.dropFirst()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return String(value)
            case "\\" where rest.first == "\"" || rest.first == "\\":
                value.append(rest.removeFirst())
            default: value.append(scalar)
            }
        }
        return nil
    }

    private static func trimmed(_ text: Text) -> String {
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return String(text)
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t"
    }
}

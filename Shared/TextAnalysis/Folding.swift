/// Spelling that people vary without meaning to, taken away: case, accents, ligatures, typographic
/// apostrophes.
///
/// Accents go in every language, before stemming and on both sides: members type "comunita" and
/// "puo" on telephones, and a stem that depends on an accent would not find them.
package func fold(_ text: String) -> String {
    var folded = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { Folding.append(scalar, to: &folded) }
    return String(folded)
}

enum Folding {
    /// Combining marks that Latin, Greek and Cyrillic accents are written with. Other scripts'
    /// marks are letters of theirs and stay.
    private static let accents: ClosedRange<UInt32> = 0x300...0x36F

    static func append(_ scalar: Unicode.Scalar, to folded: inout String.UnicodeScalarView) {
        if scalar.value < 0x80 {
            let isUpper = (65...90).contains(scalar.value)
            folded.append(isUpper ? Unicode.Scalar(UInt8(scalar.value + 32)) : scalar)
            return
        }
        if accents.contains(scalar.value) { return }
        for lowered in scalar.properties.lowercaseMapping.unicodeScalars {
            if let plain = plainForms[lowered] {
                folded.append(contentsOf: plain.unicodeScalars)
            } else if !accents.contains(lowered.value) {
                folded.append(lowered)
            }
        }
    }

    /// Lower-case letters of the languages of Europe that have a plain form in ASCII.
    private static let plainForms: [Unicode.Scalar: String] = {
        let groups = [
            "a": "àáâãäåāăą", "c": "çćĉċč", "d": "ďđð", "e": "èéêëēĕėęě", "g": "ĝğġģ", "h": "ĥħ",
            "i": "ìíîïĩīĭįı", "j": "ĵ", "k": "ķ", "l": "ĺļľŀł", "n": "ñńņň", "o": "òóôõöøōŏő",
            "r": "ŕŗř", "s": "śŝşšș", "t": "ţťŧț", "u": "ùúûüũūŭůűų", "w": "ŵ", "y": "ýÿŷ",
            "z": "źżž", "ae": "æ", "oe": "œ", "ss": "ß", "th": "þ", "fi": "ﬁ", "fl": "ﬂ",
            "'": "’ʼ‘",
        ]
        var forms: [Unicode.Scalar: String] = [:]
        for (plain, letters) in groups {
            for letter in letters.unicodeScalars { forms[letter] = plain }
        }
        return forms
    }()
}

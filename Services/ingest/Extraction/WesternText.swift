/// Whether a text reads as one in a language of western Europe.
///
/// Detectors go by the frequency of letters, which a short text does not show. What it does show are
/// letters that none of these languages has, signs amid words, and capitals at their ends. Letters
/// of northern languages and of Portuguese are left out: misread, central European ones look so.
enum WesternText {
    private static let smallLetters = Set("àáâäçèéêëìíîïñòóôöùúûüßœªº".unicodeScalars)
    private static let capitals = Set("ÀÁÂÄÇÈÉÊËÌÍÎÏÑÒÓÔÖÙÚÛÜŒ".unicodeScalars)
    private static let signs = Set(
        "€£§©®™°±×÷²³¹½¼¾¡¿«»‹›“”„‘’‚–—…•†‰·\u{A0}\u{AD}".unicodeScalars)
    /// Those that stand amid words.
    private static let joiners = Set("’·\u{AD}".unicodeScalars)

    static func isPlausible(_ text: String) -> Bool {
        var last: Unicode.Scalar = " "
        var beforeLast: Unicode.Scalar = " "
        var plainCount = 0
        var accentedCount = 0
        var oddCount = 0
        for scalar in text.unicodeScalars {
            let isLetter = scalar.properties.isAlphabetic
            if isLetter, signs.contains(last), !joiners.contains(last),
                beforeLast.properties.isAlphabetic
            {
                oddCount += 1
            }
            if scalar.isASCII {
                plainCount += isLetter ? 1 : 0
            } else if smallLetters.contains(scalar) {
                accentedCount += 1
            } else if capitals.contains(scalar), !last.properties.isLowercase {
                accentedCount += 1
            } else if !signs.contains(scalar) {
                oddCount += 1
            }
            beforeLast = last
            last = scalar
        }
        // Whole words of such letters are another alphabet, misread. A foreign name is no reason to
        // take all the rest for something else.
        return accentedCount * 2 <= plainCount && oddCount * 20 <= accentedCount
    }
}

/// Words, numbers and codes of a text, folded, in their order.
///
/// A word is a run of letters, marks and digits. A number is one token in one spelling, whatever
/// its locale: "0,137" and "0.137" are the same, as are "1.000" and "1,000". What is joined by
/// hyphen, slash or dot and holds a digit ("CEI 0-21", "D.M. 7/12", "10.12.2024") is a token as a
/// whole beside its parts, so that codes are found exactly.
package func tokens(of text: String) -> [String] {
    var tokens: [String] = []
    var run: [Unicode.Scalar] = []
    for scalar in fold(text).unicodeScalars {
        if isWordPart(scalar) || isJoiner(scalar) {
            run.append(scalar)
        } else if !run.isEmpty {
            appendTokens(of: run, to: &tokens)
            run.removeAll(keepingCapacity: true)
        }
    }
    if !run.isEmpty { appendTokens(of: run, to: &tokens) }
    return tokens
}

/// Longer runs are no words: encoded bytes, rows of dots.
private let tokenLengthMax = 64

private func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x80 {
        return (97...122).contains(scalar.value) || (48...57).contains(scalar.value)
    }
    return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        || scalar.properties.generalCategory == .nonspacingMark
}

private func isDigit(_ scalar: Unicode.Scalar) -> Bool { (48...57).contains(scalar.value) }

private func isJoiner(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "." || scalar == "," || scalar == "-" || scalar == "/" || scalar == "_"
}

private func appendTokens(of run: [Unicode.Scalar], to tokens: inout [String]) {
    // Most runs are a word and nothing else.
    if !run.contains(where: { isJoiner($0) || isDigit($0) }) {
        return appendWord(run[...], to: &tokens)
    }
    // A comma joins digits only; elsewhere it ends what stands before it.
    for piece in pieces(of: run) {
        let parts = piece.split(whereSeparator: isJoiner)
        if let number = number(piece) {
            tokens.append(number)
        } else if parts.count > 1, piece.contains(where: isDigit), piece.count <= tokenLengthMax {
            tokens.append(text(piece))
            for part in parts { appendWord(part, to: &tokens) }
        } else {
            for part in parts { appendWord(part, to: &tokens) }
        }
    }
}

/// The run cut at commas that do not stand between digits, without joiners at the ends.
private func pieces(of run: [Unicode.Scalar]) -> [ArraySlice<Unicode.Scalar>] {
    var pieces: [ArraySlice<Unicode.Scalar>] = []
    var start = run.startIndex
    for index in run.indices where run[index] == "," {
        let isInner =
            index > run.startIndex && index + 1 < run.endIndex && isDigit(run[index - 1])
            && isDigit(run[index + 1])
        if isInner { continue }
        pieces.append(run[start..<index])
        start = index + 1
    }
    pieces.append(run[start...])
    return pieces.compactMap { piece in
        guard let first = piece.firstIndex(where: { !isJoiner($0) }),
            let last = piece.lastIndex(where: { !isJoiner($0) })
        else { return nil }
        return piece[first...last]
    }
}

private func appendWord(_ part: ArraySlice<Unicode.Scalar>, to tokens: inout [String]) {
    guard part.count <= tokenLengthMax else { return }
    // Scripts written without spaces: each sign is a word.
    if part.contains(where: { $0.value > 0x2E7F && $0.properties.isIdeographic }) {
        for sign in part { tokens.append(String(sign)) }
        return
    }
    // What is left of elisions and possessives: l', d', 's.
    if part.count == 1, let only = part.first, !isDigit(only) { return }
    tokens.append(text(part))
}

private func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
}

/// A number in its one spelling: no signs between thousands, a dot before decimals.
///
/// One separator followed by exactly three digits parts thousands unless a lone zero stands before
/// it; any other single separator is the decimal one. With two kinds the last is the decimal one.
private func number(_ piece: ArraySlice<Unicode.Scalar>) -> String? {
    guard piece.count <= 24, piece.allSatisfy({ isDigit($0) || $0 == "." || $0 == "," }) else {
        return nil
    }
    let groups = piece.split(omittingEmptySubsequences: false) { !isDigit($0) }
    let separators = piece.filter { !isDigit($0) }
    if groups.contains(where: \.isEmpty) { return nil }
    if separators.isEmpty { return text(piece) }
    let isGrouped = groups.dropFirst().allSatisfy { $0.count == 3 } && groups[0].count <= 3
    let isAlike = Set(separators).count == 1
    let isDecimal = isAlike ? separators.count == 1 && !(isGrouped && text(groups[0]) != "0") : true
    if isAlike, !isDecimal { return isGrouped ? groups.map(text).joined() : nil }
    if !isAlike, separators.filter({ $0 == separators.last }).count != 1 { return nil }
    return groups.dropLast().map(text).joined() + "." + text(groups[groups.count - 1])
}

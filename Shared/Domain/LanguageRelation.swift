extension Language {
    /// Whether two texts may share their words: an undecided one may be in any language.
    package func mayBe(_ language: Language) -> Bool {
        self == language || self == .other || language == .other
    }
}

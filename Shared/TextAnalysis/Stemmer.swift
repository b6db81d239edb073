import CStemmer
import Domain

/// Snowball's stemmer of one language. Holds memory of C's that no two may use at once, so it is
/// made where it is used: that takes a microsecond.
struct Stemmer: ~Copyable {
    private let handle: OpaquePointer

    /// Nil where the language has none.
    init?(_ language: Language) {
        guard let name = Self.name(of: language), let handle = sb_stemmer_new(name, "UTF_8")
        else { return nil }
        self.handle = handle
    }

    deinit { sb_stemmer_delete(handle) }

    func stem(_ word: String) -> String {
        let bytes = Array(word.utf8)
        guard let stem = sb_stemmer_stem(handle, bytes, Int32(bytes.count)) else { return word }
        let count = Int(sb_stemmer_length(handle))
        return String(decoding: UnsafeBufferPointer(start: stem, count: count), as: UTF8.self)
    }

    private static func name(of language: Language) -> String? {
        switch language {
        case .italian: "italian"
        case .english: "english"
        case .spanish: "spanish"
        case .french: "french"
        case .german: "german"
        case .other: nil
        }
    }
}

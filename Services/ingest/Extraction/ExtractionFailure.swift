/// Why a document gave no text, told by the child in its exit status: nothing that a document can
/// write is taken for our own words.
enum ExtractionFailure: Int32, Error, CaseIterable {
    /// Not a document of that format, or a broken one (`EX_DATAERR`).
    case corrupt = 65
    case encrypted = 66
    case tooManyPages = 67
    case unpacksTooLarge = 68
    case tooManyEntries = 69
    case tooDeep = 70
    case tooManyPixels = 71
    case tooMuchText = 72

    /// Stable, for programs.
    var code: String {
        switch self {
        case .corrupt: "corrupt"
        case .encrypted: "encrypted"
        case .tooManyPages: "too_many_pages"
        case .unpacksTooLarge: "unpacks_too_large"
        case .tooManyEntries: "too_many_entries"
        case .tooDeep: "too_deep"
        case .tooManyPixels: "too_many_pixels"
        case .tooMuchText: "too_much_text"
        }
    }

    /// For the file's owner.
    var message: String {
        switch self {
        case .corrupt: "The file is broken or is not what it seems to be."
        case .encrypted: "The file is protected by a password."
        case .tooManyPages: "The file has too many pages."
        case .unpacksTooLarge: "The file unpacks to too much."
        case .tooManyEntries: "The file has too many parts inside."
        case .tooDeep: "The file is nested too deeply."
        case .tooManyPixels: "The picture has too many pixels."
        case .tooMuchText: "There is too much text in the file."
        }
    }
}

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
    case timedOut = 73
    case tooManyScannedPages = 75
    /// Nothing the document can help: a program that reads it is not installed.
    case toolMissing = 76
    /// More memory than it may have, or a fault while it was read.
    case tooLarge = 77
    case noSuchPage = 78

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
        case .timedOut: "timed_out"
        case .tooLarge: "too_large"
        case .tooManyScannedPages: "too_many_scanned_pages"
        case .toolMissing: "not_readable_here"
        case .noSuchPage: "page_not_found"
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
        case .timedOut: "Reading the file took too long."
        case .tooLarge: "The file takes too much to read."
        case .tooManyScannedPages:
            "The file has too many pages that are pictures. Parts of it could be read one by one."
        case .toolMissing: "Files of this type cannot be read at the moment."
        case .noSuchPage: "The file has no such page."
        }
    }
}

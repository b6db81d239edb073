import Archive
import Markup

/// The parts of a document that is a ZIP, by their paths.
struct PackageParts {
    private let entries: [String: [UInt8]]

    /// Names that differ in case alone are one part (ECMA-376 part 2, 6.2.2.3).
    private let paths: [String: String]

    /// - Parameter isWanted: by its path in lower case; pictures and fonts are never unpacked.
    init(
        _ bytes: [UInt8], limits: ReadingLimits, isWanted: (String) -> Bool
    ) throws(ExtractionFailure) {
        let archiveLimits = ArchiveLimits(
            unpackedByteCountMax: limits.unpackedByteCountMax,
            entryByteCountMax: limits.unpackedByteCountMax, entryCountMax: limits.entryCountMax)
        do {
            entries = try ZipArchive(bytes, limits: archiveLimits) { isWanted($0.lowercased()) }
                .entries
        } catch {
            throw ExtractionFailure(error)
        }
        paths = Dictionary(
            entries.keys.lazy.map { ($0.lowercased(), $0) }, uniquingKeysWith: { min($0, $1) })
    }

    /// Nil where there is none.
    func findPart(_ path: String) -> [UInt8]? {
        entries[path] ?? paths[path.lowercased()].flatMap { entries[$0] }
    }

    func findReader(_ path: String, limits: ReadingLimits) throws(ExtractionFailure) -> XMLReader? {
        guard let part = findPart(path) else { return nil }
        do {
            return try XMLReader(part, depthMax: limits.depthMax)
        } catch {
            throw ExtractionFailure(error)
        }
    }
}

/// A path inside a package, and what is named from there.
enum PartPath {
    /// - Parameter base: the part that names the target. A leading slash starts at the root.
    static func resolve(_ target: String, from base: String) -> String {
        var parts = target.hasPrefix("/") ? [] : base.split(separator: "/").dropLast()
        for part in target.split(separator: "/") {
            switch part {
            case ".": break
            case "..": _ = parts.popLast()
            default: parts.append(part)
            }
        }
        return parts.joined(separator: "/")
    }
}

extension ExtractionFailure {
    init(_ error: ArchiveError) {
        self =
            switch error {
            case .corrupt: .corrupt
            case .encrypted: .encrypted
            case .unpacksTooLarge: .unpacksTooLarge
            case .tooManyEntries: .tooManyEntries
            }
    }

    init(_ error: MarkupError) {
        self =
            switch error {
            case .malformed: .corrupt
            case .tooDeep: .tooDeep
            }
    }
}

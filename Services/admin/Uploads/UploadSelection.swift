import Database
import Domain
import FoundationEssentials
import HTTPService

/// What `POST /admin/uploads` may be asked; empty texts count as absent.
struct UploadRequest: Decodable, Sendable {
    var attachmentID: String?
    var user: String?
    var status: String?
    var scope: String?
    var type: String?
    var text: String?
    var createdAfter: ClampedInteger?
    var createdBefore: ClampedInteger?
    var sort: String?
    var limit: ClampedInteger?
    var offset: ClampedInteger?
    var cursor: String?
    var chunkLimit: ClampedInteger?
    var chunkOffset: ClampedInteger?

    private enum CodingKeys: String, CodingKey {
        case user, status, scope, type, sort, limit, offset, cursor
        case attachmentID = "attachment_id"
        case text = "q"
        case createdAfter = "created_after"
        case createdBefore = "created_before"
        case chunkLimit = "chunk_limit"
        case chunkOffset = "chunk_offset"
    }
}

extension UploadListStore.Filter {
    private static let textCountMax = 200
    /// The last second of the year 9999: beyond it Postgres and calendars part.
    private static let lastSecond = 253_402_300_799

    init(_ request: UploadRequest) throws {
        self.init()
        user = request.user.nonEmpty.map { User.ID(rawValue: $0) }
        text = try request.text.nonEmpty.map {
            try Problem.requireShort($0, "/q", countMax: Self.textCountMax)
        }
        status = try known(request.status, "/status")
        scope = try known(request.scope, "/scope")
        contentType = try request.type.nonEmpty.map { try UploadListStore.ContentType($0) }
        createdFrom = request.createdAfter.map { Self.second($0) }
        createdBefore = request.createdBefore.map { Self.second($0) }
    }

    private static func second(_ given: ClampedInteger) -> Int {
        min(max(0, given.value), lastSecond)
    }
}

extension UploadListStore.ContentType {
    private static let lengthMax = 255

    /// `application/pdf` is that type; `image`, `image/` and `image/*` are a family.
    fileprivate init(_ text: String) throws {
        let type = text.lowercased()
        let parts = type.split(separator: "/", omittingEmptySubsequences: false)
        let isName = type.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0)
                || "!#$&-^_.+/*".utf8.contains($0)
        }
        guard type.utf8.count <= Self.lengthMax, isName, parts.count <= 2, !parts[0].isEmpty,
            !parts[0].contains("*"), parts.count == 1 || parts[1] == "*" || !parts[1].contains("*")
        else {
            throw Problem.invalid(
                "/type", "`type` must be a content type, or a family such as image/*.")
        }
        let isFamily = parts.count == 1 || parts[1].isEmpty || parts[1] == "*"
        self = isFamily ? .beginning("\(parts[0])/") : .exactly(type)
    }
}

extension UploadListStore.Order {
    /// A key, with `-` before it from the greatest down.
    init(_ request: UploadRequest) throws {
        guard let text = request.sort.nonEmpty else {
            self = .newestFirst
            return
        }
        let isDescending = text.hasPrefix("-")
        guard
            let key = UploadListStore.SortKey(
                rawValue: isDescending ? String(text.dropFirst()) : text)
        else {
            let keys = UploadListStore.SortKey.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem.invalid("/sort", "`sort` must be one of \(keys), `-` before it or not.")
        }
        self.init(key, isDescending: isDescending)
    }

    private var name: String { (isDescending ? "-" : "") + key.rawValue }

    /// A place in this order as a cursor holds it.
    func text(of place: UploadListStore.Place) -> String {
        "\(name):\(place.sequence):\(place.key)"
    }

    /// Nil when it is none, or one of another order.
    func place(_ text: String) -> UploadListStore.Place? {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == name, let sequence = Int(parts[1]),
            !parts[2].unicodeScalars.contains("\0"), !key.isNumber || Int(parts[2]) != nil
        else { return nil }
        return UploadListStore.Place(key: String(parts[2]), sequence: sequence)
    }
}

/// A value of a closed set; nil when absent or empty.
private func known<Value: RawRepresentable<String> & CaseIterable>(
    _ text: String?, _ pointer: String
) throws -> Value? {
    guard let text = text.nonEmpty else { return nil }
    guard let value = Value(rawValue: text) else {
        let values = Value.allCases.map(\.rawValue).joined(separator: ", ")
        throw Problem.invalid(pointer, "This must be one of \(values).")
    }
    return value
}

extension String? {
    fileprivate var nonEmpty: String? { flatMap { $0.isEmpty ? nil : $0 } }
}

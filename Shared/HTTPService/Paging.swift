package import Domain
import FoundationEssentials
package import Hummingbird

/// How long a list's parts are, where it is not said and at most.
package struct PageSize: Sendable {
    let usual: Int
    let most: Int

    package init(_ usual: Int, most: Int) {
        self.usual = usual
        self.most = most
    }
}

/// Which part of a list is asked for. Numbers are clamped, not refused.
package struct Paging: Sendable, Hashable {
    package let limit: Int
    /// From the beginning. A cursor says where a page begins, so that with one this is zero.
    package let offset: Int
    private let cursor: String?
    private let cursorName: String

    /// From the query.
    ///
    /// - Parameter alias: another name for `cursor`, which goes before it.
    package init(_ request: Request, _ size: PageSize, alias: String = "cursor") throws {
        let cursor = try request.parameter("cursor")
        self.init(
            limit: try request.count("limit"), offset: try request.count("offset"),
            cursor: try request.parameter(alias) ?? cursor, size, alias: alias)
    }

    /// From what a body holds.
    package init(
        limit: Int?, offset: Int?, cursor: String?, _ size: PageSize, alias: String = "cursor"
    ) {
        self.limit = min(max(1, limit ?? size.usual), size.most)
        self.cursor = cursor.flatMap { $0.isEmpty ? nil : $0 }
        self.offset = self.cursor == nil ? max(0, offset ?? 0) : 0
        cursorName = alias
    }

    /// One more than asked for tells whether there is a next page.
    package var rowCountMax: Int { limit + 1 }

    /// Where the page before ended, as the list's own `Page` said it; nil at the beginning.
    package func place<Place>(_ read: (String) -> Place?) throws -> Place? {
        guard let cursor else { return nil }
        guard let place = Cursor.decode(cursor).flatMap(read) else {
            throw Problem.invalid(
                "/\(cursorName)", "`\(cursorName)` must be a `next_cursor` of this list.")
        }
        return place
    }
}

/// One part of a list as clients see it, with the numbers that were used and where the next begins.
package struct Page<Item: Encodable & Sendable>: Encodable, Sendable {
    private let items: [Item]
    private let limit: Int
    private let offset: Int
    private let total: Int
    private let nextCursor: String?

    /// - Parameters:
    ///   - rows: `rowCountMax` of them where there is a next page.
    ///   - total: of the whole list.
    ///   - place: what `Paging.place` is to be given for what comes after this row.
    package init<Row>(
        _ rows: [Row], _ paging: Paging, total: Int, place: (Row) -> String, item: (Row) -> Item
    ) {
        let shown = rows.prefix(paging.limit)
        items = shown.map(item)
        limit = paging.limit
        offset = paging.offset
        self.total = total
        nextCursor = rows.count > shown.count ? shown.last.map { Cursor.encode(place($0)) } : nil
    }

    private enum Key: String, CodingKey {
        case items, limit, offset, total
        case nextCursor = "next_cursor"
    }

    package func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: Key.self)
        try body.encode(items, forKey: .items)
        try body.encode(limit, forKey: .limit)
        try body.encode(offset, forKey: .offset)
        try body.encode(total, forKey: .total)
        // Null says that this was the last page.
        try body.encode(nextCursor, forKey: .nextCursor)
    }
}

/// A place in a list as clients carry it: opaque, and safe in an address.
package enum Cursor {
    private static let byteCountMax = 512

    package static func encode(_ place: String) -> String {
        Data(place.utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Nil when it is not one of ours.
    package static func decode(_ text: String) -> String? {
        guard text.utf8.count <= byteCountMax else { return nil }
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        let base64 = text.replacing("-", with: "+").replacing("_", with: "/") + padding
        return Data(base64Encoded: base64).flatMap { String(validating: $0, as: UTF8.self) }
    }
}

extension Parameters {
    /// An id of the path. A malformed one is as unknown as any other.
    package func id<Noun>(
        _ name: String, as type: Identifier<Noun>.Type, orThrow problem: Problem = .notFound
    ) throws -> Identifier<Noun> {
        guard let id = get(name).flatMap({ Identifier<Noun>($0) }) else { throw problem }
        return id
    }
}

/// A long list in a known order, of which one page is held at a time.
struct PagedList<Element: Sendable, Place: Sendable> {
    /// Some elements, and where the next ones begin; nil when there are none.
    typealias Page = (elements: [Element], next: Place?)

    private var page: ArraySlice<Element> = []
    private var place: Place?
    private var isOver = false
    private let read: (Place?) async throws -> Page

    /// - Parameter read: the page at a place; nil is the beginning.
    init(_ read: @escaping (Place?) async throws -> Page) { self.read = read }

    /// The next element, which stays.
    mutating func peek() async throws -> Element? {
        while page.isEmpty, !isOver {
            let (elements, next) = try await read(place)
            page = elements[...]
            place = next
            isOver = next == nil
        }
        return page.first
    }

    /// Goes on to the one after.
    mutating func drop() { page = page.dropFirst() }
}

/// Two lists in the order of the same keys, side by side.
struct SideBySide<Left: Sendable, LeftPlace: Sendable, Right: Sendable, RightPlace: Sendable> {
    enum Pair {
        case left(Left)
        case right(Right)
        case both(Left, Right)
    }

    private var lefts: PagedList<Left, LeftPlace>
    private var rights: PagedList<Right, RightPlace>
    /// Negative when the left one's key comes first, 0 when they are the same.
    private let order: (Left, Right) -> Int

    init(
        _ lefts: PagedList<Left, LeftPlace>, _ rights: PagedList<Right, RightPlace>,
        order: @escaping (Left, Right) -> Int
    ) {
        self.lefts = lefts
        self.rights = rights
        self.order = order
    }

    /// Nil when both are over.
    mutating func next() async throws -> Pair? {
        let (left, right) = (try await lefts.peek(), try await rights.peek())
        guard let left else {
            guard let right else { return nil }
            rights.drop()
            return .right(right)
        }
        guard let right else {
            lefts.drop()
            return .left(left)
        }
        let order = order(left, right)
        if order <= 0 { lefts.drop() }
        if order >= 0 { rights.drop() }
        return order == 0 ? .both(left, right) : order < 0 ? .left(left) : .right(right)
    }
}

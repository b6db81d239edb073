/// What an element of a page means for its text.
enum WebElement: Hashable {
    /// Stands within a line.
    case inline
    /// Begins and ends a paragraph.
    case block
    /// Nothing in it is read.
    case unread
    case title
    case main
    case heading(level: Int)
    case preformatted
    case list
    case item
    /// What is said about the item before it: `dd`.
    case itemContinued
    case table
    case tableHead
    case row
    case cell(isHeader: Bool, columnSpan: Int, rowSpan: Int)
    case lineBreak

    init(_ name: String, _ attributes: [String: String]) {
        let element = Self(named: name, attributes)
        self = element.isHidden(attributes) ? .unread : element
    }

    private init(named name: String, _ attributes: [String: String]) {
        switch name {
        case "title": self = .title
        case "main": self = .main
        case "h1", "h2", "h3", "h4", "h5", "h6":
            self = .heading(level: name.utf8.last.map { Int($0) - 0x30 } ?? 1)
        case "pre", "listing", "xmp", "plaintext": self = .preformatted
        case "ul", "ol", "menu", "dir", "dl": self = .list
        case "li", "dt": self = .item
        case "dd": self = .itemContinued
        case "table": self = .table
        case "thead": self = .tableHead
        case "tr": self = .row
        case "td", "th":
            self = .cell(
                isHeader: name == "th", columnSpan: Int(attributes["colspan"] ?? "") ?? 1,
                rowSpan: Int(attributes["rowspan"] ?? "") ?? 1)
        case "br": self = .lineBreak
        case _ where Self.blocks.contains(name):
            self = attributes["role"] == "main" ? .main : .block
        case _ where Self.unreadNames.contains(name): self = .unread
        default: self = .inline
        }
    }

    /// Decoration within a line is hidden from those who listen; of larger parts, pages hide all
    /// that is behind an open dialogue.
    private func isHidden(_ attributes: [String: String]) -> Bool {
        guard !attributes.isEmpty else { return false }
        if let hidden = attributes["hidden"], hidden != "until-found" { return true }
        if attributes["aria-hidden"] == "true", self == .inline { return true }
        if let role = attributes["role"], Self.unreadRoles.contains(role) { return true }
        guard let style = attributes["style"] else { return false }
        let rules = style.lowercased().filter { !$0.isWhitespace }
        return rules.contains("display:none") || rules.contains("visibility:hidden")
    }

    /// Navigation, programs, what a form is filled in with, readings of characters, deleted text.
    private static let unreadNames: Set = [
        "script", "style", "template", "noscript", "nav", "svg", "iframe", "object", "applet",
        "embed", "canvas", "audio", "video", "map", "select", "datalist", "button", "textarea",
        "noframes", "noembed", "rt", "rp", "del", "annotation", "annotation-xml",
    ]

    private static let unreadRoles: Set = [
        "navigation", "search", "menu", "menubar", "contentinfo", "doc-toc", "doc-pagebreak",
        "doc-noteref", "doc-backlink",
    ]

    private static let blocks: Set = [
        "address", "article", "aside", "blockquote", "body", "caption", "center", "details",
        "dialog", "div", "fieldset", "figcaption", "figure", "footer", "form", "head", "header",
        "hgroup", "hr", "html", "legend", "optgroup", "option", "p", "section", "summary", "tbody",
        "tfoot",
    ]
}

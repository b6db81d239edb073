import Markup

/// A document of Office Open XML (ECMA-376, transitional or strict): parts and their relations.
struct OfficePackage {
    /// What a part says about another one.
    struct Relationship {
        /// The last part of its URI: the two variants of the standard differ before it.
        let type: String
        let path: String
    }

    let limits: ReadingLimits
    /// The part that the document begins with.
    let mainPath: String
    private let parts: PackageParts

    init(_ bytes: [UInt8], limits: ReadingLimits) throws(ExtractionFailure) {
        if let failure = CompoundFile.failure(of: bytes) { throw failure }
        self.limits = limits
        parts = try PackageParts(bytes, limits: limits, isWanted: Self.isWanted)
        let root = try Self.relationships(of: "", in: parts, limits: limits)
        guard let main = root.values.first(where: { $0.type == "officeDocument" }) else {
            throw .corrupt
        }
        mainPath = main.path
    }

    /// Nil where there is none.
    func findReader(_ path: String) throws(ExtractionFailure) -> XMLReader? {
        try parts.findReader(path, limits: limits)
    }

    /// The main part's, within its outermost element, which is of that name in this kind of document.
    func mainReader(root: String) throws(ExtractionFailure) -> XMLReader {
        guard let reader = try findReader(mainPath), try reader.readRoot() == root else {
            throw .corrupt
        }
        return reader
    }

    /// By their ids.
    func relationships(of path: String) throws(ExtractionFailure) -> [String: Relationship] {
        try Self.relationships(of: path, in: parts, limits: limits)
    }

    /// What the document's properties say; nil if nothing.
    func title() throws(ExtractionFailure) -> String? {
        let root = try relationships(of: "")
        guard let path = root.values.first(where: { $0.type == "core-properties" })?.path,
            let reader = try findReader(path)
        else { return nil }
        var title = ""
        _ = try reader.readRoot()
        try reader.forEachElement { name throws(ExtractionFailure) in
            if name == "title", title.isEmpty { title = try reader.readText().onOneLine }
        }
        return title.isEmpty ? nil : title
    }

    /// Text and what leads to it; caches of pivot tables and the like may be larger than all sheets.
    private static func isWanted(_ path: String) -> Bool {
        guard path.hasSuffix(".xml") || path.hasSuffix(".rels") else { return false }
        let unread = ["customxml/", "xl/pivotcache/", "xl/externallinks/", "/theme/", "/media/"]
        return !unread.contains { path.contains($0) }
    }

    private static func relationships(
        of path: String, in parts: PackageParts, limits: ReadingLimits
    ) throws(ExtractionFailure) -> [String: Relationship] {
        var folders = path.split(separator: "/")
        let name = folders.popLast() ?? ""
        let own = (folders + ["_rels", name + ".rels"]).joined(separator: "/")
        guard let reader = try parts.findReader(own, limits: limits) else { return [:] }
        var relationships: [String: Relationship] = [:]
        _ = try reader.readRoot()
        try reader.forEachElement { _ throws(ExtractionFailure) in
            guard reader.attribute("TargetMode") != "External",
                let id = reader.attribute("Id"), let type = reader.attribute("Type"),
                let target = reader.attribute("Target")
            else { return }
            relationships[id] = Relationship(
                type: type.split(separator: "/").last.map(String.init) ?? type,
                path: PartPath.resolve(target, from: path))
        }
        return relationships
    }
}

extension XMLReader {
    /// Whether the property that has just begun is on: it is unless it says no (ST_OnOff).
    var isOn: Bool {
        !["0", "false", "off"].contains(attribute("val") ?? "")
    }
}

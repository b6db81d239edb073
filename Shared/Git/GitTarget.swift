/// What to check out: a branch of the remote (with or without `origin/`), a tag, or a commit.
package struct GitTarget: Sendable, Hashable {
    package let name: String

    /// Nil when it is no ref name at all, by git's own rules (git-check-ref-format).
    package init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= 255, !text.hasPrefix("-"), text != "@",
            !text.contains(".."), !text.contains("@{"), !text.hasSuffix(".")
        else { return nil }
        let refused = Set(" ~^:?*[\\".unicodeScalars)
        guard
            text.unicodeScalars.allSatisfy({
                $0.value > 32 && $0.value != 127 && !refused.contains($0)
            })
        else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard
            parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".lock") })
        else { return nil }
        name = text
    }

    /// The refs that it may mean, the likeliest first.
    var references: [String] {
        if name.hasPrefix("refs/heads/") {
            return ["refs/remotes/origin/\(name.dropFirst("refs/heads/".count))"]
        }
        if name.hasPrefix("refs/") { return [name] }
        let branch = name.hasPrefix("origin/") ? String(name.dropFirst("origin/".count)) : name
        // A remote may have a branch that is itself called origin/something.
        let branches = branch == name ? [name] : [branch, name]
        return branches.map { "refs/remotes/origin/\($0)" } + ["refs/tags/\(name)"]
    }

    /// Whether it can be the beginning of a commit's hash.
    var isHash: Bool {
        (4...40).contains(name.utf8.count) && name.allSatisfy(\.isHexDigit)
    }
}

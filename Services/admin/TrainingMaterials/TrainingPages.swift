import Crypto
import Database
import Git
import MarkdownPages

/// The pages of a commit as they will be shown: with title and address, and links that lead
/// somewhere.
struct TrainingPages: Sendable {
    struct Page: Sendable, Hashable {
        let path: String
        let title: String
        let url: String
        let tags: [String]
        let content: String
        /// Of all that is shown of it. The address in the repository is not part of it: that changes
        /// with every commit.
        let hash: [UInt8]
    }

    let pages: [Page]

    /// - Parameters:
    ///   - site: where a site made of the materials is served, if one is.
    ///   - byteCountMax: of all pages together, with their links made whole.
    init(
        of snapshot: GitSnapshot, from remote: GitRemoteURL, site: String?, byteCountMax: Int
    ) throws(GitFailure) {
        let address = PageAddress(site: site)
        var matters: [String: FrontMatter] = [:]
        var stated: [String: String] = [:]
        for page in snapshot.pages {
            let matter = FrontMatter(of: page.content)
            matters[page.path] = matter
            stated[page.path] = address.find(matter, path: page.path)
        }
        let paths = Set(matters.keys)
        let addresses = stated
        let links = PageLinks { target in
            let path = Self.page(target, among: paths) ?? target
            return addresses[path]
                ?? (remote.hasPages ? remote.page(path, commit: "HEAD") : nil)
        }
        var pages: [Page] = []
        var byteCount = 0
        for page in snapshot.pages {
            let matter = matters[page.path] ?? FrontMatter(of: page.content)
            let content = links.resolved(page.content, path: page.path)
            byteCount += content.utf8.count
            guard byteCount <= byteCountMax else { throw .tooLarge("content") }
            let url = stated[page.path]
            pages.append(
                Page(
                    path: page.path, title: PageTitle.of(matter, path: page.path),
                    url: url ?? remote.page(page.path, commit: snapshot.commit),
                    tags: matter.tags, content: content, hash: Self.hash(content, url)))
        }
        self.pages = pages
    }

    /// Generators let a link leave out the extension, or mean a folder's first page.
    private static func page(_ target: String, among paths: Set<String>) -> String? {
        let bare = target.hasSuffix("/") ? String(target.dropLast()) : target
        let folder = bare.isEmpty ? "" : bare + "/"
        return [bare, bare + ".md", folder + "index.md", folder + "README.md"]
            .first(where: paths.contains)
    }

    private static func hash(_ content: String, _ url: String?) -> [UInt8] {
        let text = url.map { content + "\0" + $0 } ?? content
        return Array(SHA256.hash(data: Array(text.utf8)))
    }
}

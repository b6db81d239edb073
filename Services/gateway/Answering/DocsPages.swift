import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The page over the API document, `/docs`, and the files it is made of, `/docs/{file}`.
///
/// With Swagger UI where its files are installed (`DOCS_VIEWER`), else with a list of our own. Neither
/// asks another host for anything.
struct DocsPages: Sendable {
    private static let viewerFiles = [
        "swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css",
    ]
    /// More than any release of the viewer has.
    private static let viewerByteCountMax = 8 << 20
    /// The viewer sets styles, and shows pictures that are in its own style sheet.
    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
        img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
        frame-ancestors 'none'
        """

    let page: Answer
    private let files: [String: Answer]

    static let plain = DocsPages(
        page: file(PackageResources.plain_html, "text/html"),
        files: [
            "plain.css": file(PackageResources.plain_css, "text/css"),
            "plain.js": file(PackageResources.plain_js, "text/javascript"),
        ])

    private init(page: Answer, files: [String: Answer]) {
        self.page = page
        self.files = files
    }

    /// Nil if the viewer is not in the folder.
    init?(viewerFolder: String) {
        var files = ["viewer.js": Self.file(PackageResources.viewer_js, "text/javascript")]
        for (name, type) in Self.viewerFiles {
            // Why it cannot be read is said by its name.
            guard let bytes = try? Data(contentsOf: URL(filePath: viewerFolder + "/" + name)),
                (1...Self.viewerByteCountMax).contains(bytes.count)
            else { return nil }
            files[name] = Self.file(Array(bytes), type)
        }
        self.init(page: Self.file(PackageResources.docs_html, "text/html"), files: files)
    }

    func file(_ name: Substring) -> Answer? { files[String(name)] }

    private static func file(_ bytes: [UInt8], _ type: String) -> Answer {
        Answer(
            status: .ok,
            headers: [
                "Content-Type": type + "; charset=utf-8", "Cache-Control": "no-cache",
                "Content-Security-Policy": policy,
            ],
            body: ByteBuffer(bytes: bytes))
    }
}

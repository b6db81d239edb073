import NIOHTTP1

/// The services behind the gateway.
enum Upstream: String, CaseIterable, Sendable {
    case chat
    case ingest
    case admin
}

/// Who answers a route.
enum Destination: Sendable, Equatable {
    case own(OwnAnswer)
    case upstream(Upstream)
    /// One path with two meanings, told apart by the body's type.
    case byBody(multipart: Upstream, otherwise: Upstream)
}

/// What the gateway answers itself.
enum OwnAnswer: Sendable, Equatable {
    case health
    case ready
    case user
    case ping
    case document
    case docs
    case docsFile

    /// The rest is for anybody.
    var needsToken: Bool { self == .user || self == .ping }
}

/// One method on one path. A pattern's `{name}` stands for exactly one segment.
struct Route: Sendable {
    /// What limits must know of it.
    enum Kind: Sendable {
        case plain
        /// Answers with events for as long as something goes on.
        case stream
        /// Takes a form with a file.
        case upload
    }

    let method: HTTPMethod
    let pattern: String
    let destination: Destination
    let kind: Kind

    init(
        _ method: HTTPMethod, _ pattern: String, _ destination: Destination, _ kind: Kind = .plain
    ) {
        self.method = method
        self.pattern = pattern
        self.destination = destination
        self.kind = kind
    }

    var needsToken: Bool {
        if case .own(let answer) = destination { answer.needsToken } else { true }
    }
}

/// Everything the public can reach; what is not here does not exist.
struct Routes: Sendable {
    enum Match {
        case found(Route)
        case unknownPath
        /// The path exists with these methods.
        case unknownMethod([HTTPMethod])
    }

    static let all: [Route] = [
        Route(.GET, "/health", .own(.health)),
        Route(.GET, "/health/ready", .own(.ready)),
        Route(.GET, "/openapi.json", .own(.document)),
        Route(.GET, "/docs", .own(.docs)),
        Route(.GET, "/docs/{file}", .own(.docsFile)),
        Route(.GET, "/ping", .own(.ping)),
        Route(.GET, "/user", .own(.user)),
        Route(.DELETE, "/user", .upstream(.ingest)),
        Route(.GET, "/user/export", .upstream(.ingest)),
        Route(.GET, "/user/usage", .upstream(.ingest)),

        Route(.POST, "/chat", .upstream(.chat), .stream),
        Route(.GET, "/chat/{message_id}/stream", .upstream(.chat), .stream),
        Route(.POST, "/chat/{message_id}/cancel", .upstream(.chat)),
        Route(.POST, "/chat/{message_id}/retry", .upstream(.chat), .stream),
        Route(.POST, "/search", .upstream(.chat)),
        Route(.GET, "/sources/{chunk_id}", .upstream(.chat)),
        Route(.GET, "/suggestions", .upstream(.chat)),
        Route(.GET, "/conversations", .upstream(.chat)),
        Route(.GET, "/conversations/{id}", .upstream(.chat)),
        Route(.PATCH, "/conversations/{id}", .upstream(.chat)),
        Route(.DELETE, "/conversations/{id}", .upstream(.chat)),
        Route(.GET, "/conversations/{id}/messages", .upstream(.chat)),
        Route(.GET, "/conversations/{id}/export", .upstream(.chat)),
        Route(.POST, "/conversations/{id}/regenerate", .upstream(.chat), .stream),
        Route(.PUT, "/messages/{id}/feedback", .upstream(.chat)),

        Route(.POST, "/upload", .upstream(.ingest), .upload),
        Route(.GET, "/attachments", .upstream(.ingest)),
        Route(.GET, "/attachments/{id}", .upstream(.ingest)),
        Route(.DELETE, "/attachments/{id}", .upstream(.ingest)),
        Route(.GET, "/attachments/{id}/events", .upstream(.ingest), .stream),
        Route(.GET, "/attachments/{id}/raw", .upstream(.ingest)),
        Route(.GET, "/attachments/{id}/pages/{n}", .upstream(.ingest)),

        Route(.POST, "/admin/uploads", .byBody(multipart: .ingest, otherwise: .admin)),
        Route(.POST, "/admin/ingest", .upstream(.admin)),
        Route(.POST, "/admin/reload", .upstream(.admin)),
        Route(.POST, "/admin/training-materials/sync", .upstream(.admin)),
        Route(.GET, "/admin/generations", .upstream(.admin)),
        Route(.DELETE, "/admin/generations/{n}", .upstream(.admin)),
        Route(.POST, "/admin/generations/{n}/activate", .upstream(.admin)),
        Route(.POST, "/admin/generations/{n}/cancel", .upstream(.admin)),
        Route(.GET, "/admin/jobs", .upstream(.admin)),
        Route(.GET, "/admin/jobs/{id}", .upstream(.admin)),
        Route(.POST, "/admin/jobs/{id}/retry", .upstream(.admin)),
        Route(.POST, "/admin/jobs/{id}/cancel", .upstream(.admin)),
        Route(.POST, "/admin/jobs/retry", .upstream(.admin)),
        Route(.GET, "/admin/audit", .upstream(.admin)),
        Route(.GET, "/admin/consistency", .upstream(.admin)),
        Route(.POST, "/admin/consistency", .upstream(.admin)),
        Route(.GET, "/admin/usage", .upstream(.admin)),
    ]

    /// All that any route has, and what browsers ask beforehand.
    static let methods: [HTTPMethod] = [.GET, .HEAD, .POST, .PUT, .PATCH, .DELETE, .OPTIONS]

    private struct Entry: Sendable {
        let segments: [Substring]
        var routes: [Route]
    }

    private var literal: [String: [Route]] = [:]
    private var patterns: [Entry] = []

    init(_ routes: [Route] = Routes.all) {
        for route in routes {
            if !route.pattern.contains("{") {
                literal[route.pattern, default: []].append(route)
                continue
            }
            let segments = route.pattern.split(separator: "/")
            if let index = patterns.firstIndex(where: { $0.segments == segments }) {
                patterns[index].routes.append(route)
            } else {
                patterns.append(Entry(segments: segments, routes: [route]))
            }
        }
    }

    func match(_ method: HTTPMethod, _ path: String) -> Match {
        let routes = literal[path] ?? patternRoutes(path)
        if routes.isEmpty { return .unknownPath }
        if let route = routes.first(where: { $0.method == method }) { return .found(route) }
        return .unknownMethod(routes.map(\.method))
    }

    private func patternRoutes(_ path: String) -> [Route] {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let entry = patterns.first { entry in
            entry.segments.count == segments.count
                && zip(entry.segments, segments).allSatisfy { pattern, segment in
                    pattern.hasPrefix("{") ? Self.isPlain(segment) : pattern == segment
                }
        }
        return entry?.routes ?? []
    }

    /// Only characters that mean themselves everywhere (RFC 3986, unreserved) and no dot segment:
    /// no two servers can read the forwarded path differently.
    private static func isPlain(_ segment: Substring) -> Bool {
        !segment.isEmpty && segment != "." && segment != ".."
            && segment.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "_"), UInt8(ascii: "~"):
                    true
                default: false
                }
            }
    }
}

/// A request's address, taken apart: where it leads, without the prefix it may have come under.
struct Target: Sendable {
    /// Longest first: one is the other's beginning.
    private static let prefixes = ["/api/assistant", "/api"]

    let path: String
    /// With its question mark, untouched; empty if there is none.
    let query: String

    /// Nil for what is not an origin-form target (RFC 9112, 3.2.1).
    init?(uri: String) {
        guard uri.utf8.first == UInt8(ascii: "/"),
            uri.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") })
        else { return nil }
        let mark = uri.firstIndex(of: "?") ?? uri.endIndex
        var path = uri[..<mark]
        for prefix in Self.prefixes where path.hasPrefix(prefix + "/") {
            path = path.dropFirst(prefix.count)
            break
        }
        self.path = String(path)
        query = String(uri[mark...])
    }

    var uri: String { path + query }
}

import NIOHTTP1

/// Which headers cross the gateway, in either direction.
enum HeaderRules {
    /// They speak of one connection only (RFC 9110, 7.6.1), or are answered here (`Expect`).
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate",
        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "expect",
        "http2-settings",
    ]

    /// Who the caller is, is said by the internal token alone; where he comes from, by us.
    private static let clientOnly: Set<String> = [
        "authorization", "cookie", "forwarded", "x-real-ip", "x-request-id", "x-remote-user",
        "remote-user", "host", "content-length", "traceparent",
    ]
    private static let clientOnlyPrefixes = ["x-auth-request-", "x-forwarded-", "x-internal-"]

    private static let security: [(name: String, value: String)] = [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        (
            "Content-Security-Policy",
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ]

    /// How a request's body is delimited; decided once, from what the parser understood.
    enum Framing: Equatable {
        case none
        case length(String)
        case chunked

        init(_ head: HTTPRequestHead) {
            if let length = head.headers.first(name: "Content-Length") {
                self = .length(length)
            } else if head.headers.contains(name: "Transfer-Encoding") {
                self = .chunked
            } else {
                self = .none
            }
        }
    }

    /// A request's headers as a service gets them; `Host` is added by the connection.
    static func forward(_ record: RequestRecord, token: String) -> HTTPHeaders {
        let head = record.head
        let named = connectionNames(head.headers)
        var headers = HTTPHeaders()
        headers.reserveCapacity(head.headers.count + 9)
        for (name, value) in head.headers {
            // Some servers read `_` as `-`.
            let plain = name.lowercased().replacing("_", with: "-")
            if hopByHop.contains(plain) || clientOnly.contains(plain) || named.contains(plain)
                || clientOnlyPrefixes.contains(where: plain.hasPrefix)
                || (plain == "tracestate" && !record.trace.isContinued)
            {
                continue
            }
            headers.add(name: name, value: value)
        }
        switch Framing(head) {
        case .length(let length): headers.add(name: "Content-Length", value: length)
        case .chunked: headers.add(name: "Transfer-Encoding", value: "chunked")
        case .none where !CrossSite.isSafe(head.method):
            headers.add(name: "Content-Length", value: "0")
        case .none: break
        }
        headers.add(name: "Authorization", value: "Bearer " + token)
        headers.add(name: "X-Request-Id", value: record.id)
        headers.add(name: "traceparent", value: record.trace.header)
        add(record.client, to: &headers)
        return headers
    }

    /// The client alone: what proxies before us have written is used up, in one form and the other
    /// (RFC 7239).
    private static func add(_ client: Client, to headers: inout HTTPHeaders) {
        var node = "unknown"
        if let address = client.address {
            headers.add(name: "X-Forwarded-For", value: "\(address)")
            node = address.isV4 ? "\(address)" : "\"[\(address)]\""
        }
        headers.add(name: "X-Forwarded-Proto", value: client.scheme)
        headers.add(name: "X-Forwarded-Host", value: client.host)
        headers.add(
            name: "Forwarded", value: "for=\(node);proto=\(client.scheme);host=\"\(client.host)\"")
    }

    /// A service's response headers as the client gets them.
    static func backward(_ headers: HTTPHeaders, requestID: String) -> HTTPHeaders {
        let named = connectionNames(headers)
        var answer = HTTPHeaders()
        answer.reserveCapacity(headers.count + 6)
        for (name, value) in headers {
            let plain = name.lowercased()
            if hopByHop.contains(plain) || plain == "x-request-id" || plain == "server"
                || plain.hasPrefix("access-control-")
                || (named.contains(plain) && plain != "content-length")
            {
                continue
            }
            answer.add(name: name, value: value)
        }
        addOurs(to: &answer, requestID: requestID)
        return answer
    }

    /// Security headers (a service's own win: a download has a policy of its own) and the id.
    static func addOurs(to headers: inout HTTPHeaders, requestID: String) {
        for header in security where !headers.contains(name: header.name) {
            headers.add(name: header.name, value: header.value)
        }
        headers.replaceOrAdd(name: "X-Request-Id", value: requestID)
    }

    /// For a page of an origin that `CORS_ALLOWED_ORIGINS` names.
    static func addCORS(to headers: inout HTTPHeaders, origin: String) {
        headers.replaceOrAdd(name: "Access-Control-Allow-Origin", value: origin)
        headers.replaceOrAdd(name: "Access-Control-Allow-Credentials", value: "true")
        headers.replaceOrAdd(
            name: "Access-Control-Expose-Headers",
            value: "Content-Disposition, ETag, Location, Retry-After, X-Request-Id")
        headers.add(name: "Vary", value: "Origin")
    }

    private static func connectionNames(_ headers: HTTPHeaders) -> Set<String> {
        guard headers.contains(name: "Connection") else { return [] }
        return Set(headers[canonicalForm: "Connection"].map { $0.lowercased() })
    }
}

import NIOHTTP1

/// Which headers cross the gateway, in either direction.
enum HeaderRules {
    /// They speak of one connection only (RFC 9110, 7.6.1), or are answered here (`Expect`).
    private static let hopByHop = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate",
        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "expect",
        "http2-settings",
    ]

    /// Besides those: who the caller is, is said by the internal token alone; where he comes from,
    /// by us.
    private static let notForwarded = HeaderNames(
        hopByHop + [
            "authorization", "cookie", "forwarded", "x-real-ip", "x-request-id", "x-remote-user",
            "remote-user", "host", "content-length", "traceparent",
        ], prefixes: ["x-auth-request-", "x-forwarded-", "x-internal-"])

    /// Besides those: what we say ourselves, or nobody needs to know.
    private static let notReturned = HeaderNames(
        hopByHop + ["x-request-id", "server"], prefixes: ["access-control-"])

    private static let persistence = HeaderNames(["keep-alive", "close"])
    private static let traceState = HeaderNames(["tracestate"])
    private static let contentLength = HeaderNames(["content-length"])

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
    static func forward(_ record: RequestRecord, authorization: String) -> HTTPHeaders {
        let head = record.head
        let named = connectionNames(head.headers)
        var headers: [(String, String)] = []
        headers.reserveCapacity(head.headers.count + 10)
        for (name, value) in head.headers {
            if notForwarded.contain(name) || named?.contain(name) == true { continue }
            if !record.trace.isContinued, traceState.contain(name) { continue }
            headers.append((name, value))
        }
        switch Framing(head) {
        case .length(let length): headers.append(("Content-Length", length))
        case .chunked: headers.append(("Transfer-Encoding", "chunked"))
        case .none where !CrossSite.isSafe(head.method): headers.append(("Content-Length", "0"))
        case .none: break
        }
        headers.append(("Authorization", authorization))
        headers.append(("X-Request-Id", record.id))
        headers.append(("traceparent", record.trace.header))
        add(record.client, to: &headers)
        return HTTPHeaders(headers)
    }

    /// The client alone: what proxies before us have written is used up, in one form and the other
    /// (RFC 7239).
    private static func add(_ client: Client, to headers: inout [(String, String)]) {
        var node = "unknown"
        if let address = client.address {
            let text = "\(address)"
            headers.append(("X-Forwarded-For", text))
            node = address.isV4 ? text : "\"[\(text)]\""
        }
        headers.append(("X-Forwarded-Proto", client.scheme))
        headers.append(("X-Forwarded-Host", client.host))
        headers.append(("Forwarded", "for=\(node);proto=\(client.scheme);host=\"\(client.host)\""))
    }

    /// A service's response headers as the client gets them.
    static func backward(_ headers: HTTPHeaders, requestID: String) -> HTTPHeaders {
        let named = connectionNames(headers)
        var answer: [(String, String)] = []
        answer.reserveCapacity(headers.count + 6)
        for (name, value) in headers {
            if notReturned.contain(name) { continue }
            if let named, named.contain(name), !contentLength.contain(name) { continue }
            answer.append((name, value))
        }
        var headers = HTTPHeaders(answer)
        addOurs(to: &headers, requestID: requestID)
        return headers
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

    /// What `Connection` names besides what never passes; most name nothing else.
    private static func connectionNames(_ headers: HTTPHeaders) -> HeaderNames? {
        if headers["Connection"].allSatisfy(persistence.contain) { return nil }
        return HeaderNames(headers[canonicalForm: "Connection"].map { $0.lowercased() })
    }
}

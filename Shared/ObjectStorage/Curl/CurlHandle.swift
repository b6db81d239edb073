import CLibCurl
import NIOCore

/// libcurl's handles of one connection. Blocks, so it stays on a thread made for that.
final class CurlHandle {
    /// Says that nobody waits for the answer any more, from any thread.
    typealias IsCancelled = () -> Bool

    private static let connectMilliseconds = 5_000
    /// A peer that sends and takes less than this for so long has stopped.
    private static let lowSpeed = (bytesPerSecond: 1_000, seconds: 20)
    /// Only a signal or an end of the transfer interrupts a wait before.
    private static let pollMilliseconds: CInt = 1_000
    private static let headers = ["etag", "content-range", "content-length"]

    private let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer

    /// Once for the process.
    private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    init() throws(CurlError) {
        guard Self.isLibraryReady, let easy = curl_easy_init() else {
            throw .failed("libcurl cannot start")
        }
        guard let multi = curl_multi_init() else {
            curl_easy_cleanup(easy)
            throw .failed("libcurl cannot start")
        }
        self.easy = easy
        self.multi = multi
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_multi_cleanup(multi)
    }

    func perform(
        _ request: CurlRequest, _ settings: CurlSettings, wakeup: CurlWakeup,
        isCancelled: IsCancelled
    ) throws(CurlError) -> CurlAnswer {
        let bodies = CurlBodies(request)
        let headers = HeaderList(request.headers)
        // Forgets all options and keeps the connection.
        curl_easy_reset(easy)
        setSafety(settings, request.duration)
        setRequest(request, settings, headers)
        let code = try withExtendedLifetime((bodies, headers)) { () throws(CurlError) in
            setBodies(bodies, request)
            return try transfer(wakeup, isCancelled)
        }
        if bodies.isAnswerTooLarge { throw .answerTooLarge }
        guard code == CURLE_OK else { throw .failed(String(cString: curl_easy_strerror(code))) }
        var status = 0
        _ = clibcurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        return CurlAnswer(status: status, headers: answerHeaders(), body: bodies.answer)
    }

    /// Limits, and nothing that the environment or a peer could turn us to.
    private func setSafety(_ settings: CurlSettings, _ duration: Duration) {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PROXY, "")
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        set(CURLOPT_CONNECTTIMEOUT_MS, Self.connectMilliseconds)
        set(CURLOPT_TIMEOUT_MS, max(1, Int(duration / .milliseconds(1))))
        set(CURLOPT_LOW_SPEED_LIMIT, Self.lowSpeed.bytesPerSecond)
        set(CURLOPT_LOW_SPEED_TIME, Self.lowSpeed.seconds)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        if let file = settings.certificateFile { set(CURLOPT_CAINFO, file) }
    }

    private func setRequest(
        _ request: CurlRequest, _ settings: CurlSettings, _ headers: HeaderList
    ) {
        set(CURLOPT_URL, request.url)
        set(CURLOPT_USERAGENT, "celine-assistant")
        set(CURLOPT_AWS_SIGV4, settings.signing)
        set(CURLOPT_USERNAME, settings.accessKeyID)
        set(CURLOPT_PASSWORD, settings.secretAccessKey)
        _ = clibcurl_set_list(easy, CURLOPT_HTTPHEADER, headers.first)
        switch request.method {
        case .get: set(CURLOPT_HTTPGET, 1)
        case .head: set(CURLOPT_NOBODY, 1)
        case .delete: set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        case .put:
            set(CURLOPT_UPLOAD, 1)
            _ = clibcurl_set_offset(
                easy, CURLOPT_INFILESIZE_LARGE, Int(request.body.readableBytes))
        case .post:
            set(CURLOPT_POST, 1)
            _ = clibcurl_set_offset(
                easy, CURLOPT_POSTFIELDSIZE_LARGE, Int(request.body.readableBytes))
        }
    }

    /// - Parameter bodies: must outlive the transfer.
    private func setBodies(_ bodies: CurlBodies, _ request: CurlRequest) {
        let context = Unmanaged.passUnretained(bodies).toOpaque()
        _ = clibcurl_set_transfer(easy, CURLOPT_WRITEFUNCTION, CurlBodies.writing)
        _ = clibcurl_set_pointer(easy, CURLOPT_WRITEDATA, context)
        _ = clibcurl_set_transfer(easy, CURLOPT_READFUNCTION, CurlBodies.reading)
        _ = clibcurl_set_pointer(easy, CURLOPT_READDATA, context)
        _ = clibcurl_set_seek(easy, CurlBodies.seeking)
        _ = clibcurl_set_pointer(easy, CURLOPT_SEEKDATA, context)
    }

    private func transfer(
        _ wakeup: CurlWakeup, _ isCancelled: IsCancelled
    ) throws(CurlError) -> CURLcode {
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
            throw .failed("libcurl takes no request")
        }
        // Also ends a transfer that was given up, and closes its connection.
        defer { curl_multi_remove_handle(multi, easy) }
        var runningCount: CInt = 1
        while true {
            if isCancelled() { throw .cancelled }
            guard curl_multi_perform(multi, &runningCount) == CURLM_OK else {
                throw .failed("libcurl cannot go on")
            }
            if runningCount == 0 { return result() }
            var signal = curl_waitfd(
                fd: wakeup.descriptor, events: Int16(CURL_WAIT_POLLIN), revents: 0)
            guard curl_multi_poll(multi, &signal, 1, Self.pollMilliseconds, nil) == CURLM_OK else {
                throw .failed("libcurl cannot wait")
            }
            if signal.revents != 0 { wakeup.clear() }
        }
    }

    private func result() -> CURLcode {
        var restCount: CInt = 0
        guard let message = curl_multi_info_read(multi, &restCount) else {
            return CURLE_FAILED_INIT
        }
        return message.pointee.data.result
    }

    private func answerHeaders() -> [String: String] {
        var found: [String: String] = [:]
        for name in Self.headers {
            var header: UnsafeMutablePointer<curl_header>?
            let code = curl_easy_header(easy, name, 0, UInt32(CURLH_HEADER), -1, &header)
            if code == CURLHE_OK, let value = header?.pointee.value {
                found[name] = String(cString: value)
            }
        }
        return found
    }

    private func set(_ option: CURLoption, _ value: Int) {
        _ = clibcurl_set_long(easy, option, value)
    }

    /// libcurl keeps a copy.
    private func set(_ option: CURLoption, _ value: String) {
        _ = clibcurl_set_text(easy, option, value)
    }
}

/// Header lines as libcurl wants them.
private final class HeaderList {
    private(set) var first: UnsafeMutablePointer<curl_slist>?

    init(_ headers: [(name: String, value: String)]) {
        for (name, value) in headers { first = curl_slist_append(first, "\(name): \(value)") }
    }

    deinit { curl_slist_free_all(first) }
}

import CLibCurl
import Glibc

/// libcurl, one request after the other. The answer is handed out as it comes.
final class HTTPConnection {
    struct Failure: Error {
        let message: String
        var wantsCredentials = false
    }

    private let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var answer = Answer()

    private static let connectSeconds = 15
    /// Only an end of the transfer interrupts a wait before; the whole child has a deadline.
    private static let pollMilliseconds: CInt = 1_000

    /// Once for the process.
    private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    init() throws(Failure) {
        guard Self.isLibraryReady, let easy = curl_easy_init() else {
            throw Failure(message: "libcurl cannot start")
        }
        guard let multi = curl_multi_init() else {
            curl_easy_cleanup(easy)
            throw Failure(message: "libcurl cannot start")
        }
        self.easy = easy
        self.multi = multi
    }

    deinit {
        curl_multi_remove_handle(multi, easy)
        curl_easy_cleanup(easy)
        curl_multi_cleanup(multi)
        curl_slist_free_all(headers)
    }

    func begin(
        _ request: HTTPRequest, body: [UInt8], _ transfer: GitTransfer
    ) throws(Failure) {
        // Ends the request before, if there was one; options go, the connection stays.
        curl_multi_remove_handle(multi, easy)
        curl_easy_reset(easy)
        answer = Answer(transfer, type: request.answerType)
        setSafety(transfer)
        set(CURLOPT_URL, request.url)
        curl_slist_free_all(headers)
        headers = nil
        if request.isPost {
            headers = curl_slist_append(nil, "Content-Type: \(request.contentType)")
            // No waiting for a `100 Continue` before the body.
            headers = curl_slist_append(headers, "Expect:")
            set(CURLOPT_POST, 1)
            _ = clibcurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
            _ = body.withUnsafeBytes {
                clibcurl_set_pointer(
                    easy, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: $0.baseAddress))
            }
        }
        _ = clibcurl_set_list(easy, CURLOPT_HTTPHEADER, headers)
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
            throw Failure(message: "libcurl takes no request")
        }
    }

    /// Limits, and nothing that the environment or the remote could turn us to.
    private func setSafety(_ transfer: GitTransfer) {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PROXY, "")
        set(CURLOPT_CONNECTTIMEOUT, Self.connectSeconds)
        set(CURLOPT_USERAGENT, "git/2 (celine-assistant)")
        if let file = transfer.certificateFile { set(CURLOPT_CAINFO, file) }
        if let (user, token) = transfer.basicCredentials {
            set(CURLOPT_USERNAME, user)
            set(CURLOPT_PASSWORD, token)
        }
        let context = Unmanaged.passUnretained(answer).toOpaque()
        _ = clibcurl_set_transfer(easy, CURLOPT_WRITEFUNCTION, Answer.taking)
        _ = clibcurl_set_pointer(easy, CURLOPT_WRITEDATA, context)
        _ = clibcurl_set_open(easy, Answer.opening)
        _ = clibcurl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context)
    }

    private func set(_ option: CURLoption, _ value: Int) {
        _ = clibcurl_set_long(easy, option, value)
    }

    private func set(_ option: CURLoption, _ value: String) {
        _ = clibcurl_set_text(easy, option, value)
    }

    /// Waits until there is something of the answer; 0 is its end.
    func read(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        while answer.bytes.isEmpty, !answer.isComplete {
            var runningCount: CInt = 0
            guard curl_multi_perform(multi, &runningCount) == CURLM_OK else {
                throw Failure(message: "libcurl fails")
            }
            if runningCount == 0 { try end() }
            try requireExpected()
            if answer.bytes.isEmpty, !answer.isComplete {
                curl_multi_poll(multi, nil, 0, Self.pollMilliseconds, nil)
            }
        }
        let count = min(room.count, answer.bytes.count)
        room.copyBytes(from: answer.bytes.prefix(count))
        answer.bytes.removeFirst(count)
        return count
    }

    private func end() throws(Failure) {
        var count: CInt = 0
        while let message = curl_multi_info_read(multi, &count) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            let code = message.pointee.data.result
            guard code == CURLE_OK else {
                throw Failure(message: String(cString: curl_easy_strerror(code)))
            }
        }
        answer.isComplete = true
    }

    /// A page with status 200 is no pack, and neither is where it has moved to.
    private func requireExpected() throws(Failure) {
        guard !answer.isExpected, answer.isComplete || !answer.bytes.isEmpty else { return }
        var status = 0
        _ = clibcurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        var type: UnsafeMutablePointer<CChar>?
        _ = clibcurl_get_text(easy, CURLINFO_CONTENT_TYPE, &type)
        guard status == 200, type.map({ String(cString: $0) }) == answer.type else {
            throw Failure(
                message: "the remote answered with \(status)", wantsCredentials: status == 401)
        }
        answer.isExpected = true
    }

    /// What libcurl's callbacks see.
    private final class Answer {
        let transfer: GitTransfer?
        let type: String
        var bytes: [UInt8] = []
        var isComplete = false
        /// Whether status and type have been looked at.
        var isExpected = false

        init(_ transfer: GitTransfer? = nil, type: String = "") {
            self.transfer = transfer
            self.type = type
        }

        static let taking: clibcurl_transfer = { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            Unmanaged<Answer>.fromOpaque(context).takeUnretainedValue().bytes +=
                UnsafeRawBufferPointer(start: bytes, count: size * count)
            return size * count
        }

        /// Called with the very address that will be connected to.
        static let opening: clibcurl_open = { context, _, address in
            guard let context, let address,
                let transfer = Unmanaged<Answer>.fromOpaque(context).takeUnretainedValue().transfer,
                transfer.allows(&address.pointee.addr)
            else { return CURL_SOCKET_BAD }
            return socket(
                address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue),
                address.pointee.protocol)
        }
    }
}

import CLibGit2

/// Git's smart HTTP over libcurl: libgit2's own follows redirects within a host whatever it is told,
/// and lets nobody see whom it is about to connect to.
///
/// libgit2 holds it by a struct of C, and calls its functions with that.
final class HTTPSubtransport {
    private let transfer: GitTransfer
    /// One for all requests of a fetch, so that they share a connection.
    private let curl: HTTPConnection

    private init(_ transfer: GitTransfer) throws(HTTPConnection.Failure) {
        self.transfer = transfer
        curl = try HTTPConnection()
    }

    /// For `git_remote_callbacks.transport`; the payload is a `GitTransfer`.
    static let makeTransport: git_transport_cb = { out, owner, payload in
        var definition = git_smart_subtransport_definition(
            // Every request stands for itself.
            callback: HTTPSubtransport.make, rpc: 1, param: payload)
        return git_transport_smart(out, owner, &definition)
    }

    private static let make: git_smart_subtransport_cb = { out, _, payload in
        guard let out, let payload else { return -1 }
        let transfer = Unmanaged<GitTransfer>.fromOpaque(payload).takeUnretainedValue()
        // Without libcurl there is nothing to say but no.
        guard let subtransport = try? HTTPSubtransport(transfer) else { return -1 }
        let parent = git_smart_subtransport(
            action: HTTPSubtransport.act, close: { _ in 0 }, free: HTTPSubtransport.free)
        let pointer = UnsafeMutablePointer<clibgit2_subtransport>.allocate(capacity: 1)
        pointer.initialize(
            to: clibgit2_subtransport(
                parent: parent, context: Unmanaged.passRetained(subtransport).toOpaque()))
        out.pointee = UnsafeMutableRawPointer(pointer)
            .assumingMemoryBound(to: git_smart_subtransport.self)
        return 0
    }

    private static let free:
        @convention(c) (UnsafeMutablePointer<git_smart_subtransport>?) -> Void = {
            guard let pointer = outer($0) else { return }
            Unmanaged<HTTPSubtransport>.fromOpaque(pointer.pointee.context).release()
            pointer.deallocate()
        }

    private static let act:
        @convention(c) (
            UnsafeMutablePointer<UnsafeMutablePointer<git_smart_subtransport_stream>?>?,
            UnsafeMutablePointer<git_smart_subtransport>?, UnsafePointer<CChar>?,
            git_smart_service_t
        ) -> CInt = { out, subtransport, url, action in
            guard let out, let subtransport, let url, let pointer = outer(subtransport) else {
                return -1
            }
            let ours = Unmanaged<HTTPSubtransport>.fromOpaque(pointer.pointee.context)
                .takeUnretainedValue()
            guard let request = HTTPRequest(action, at: String(cString: url)) else { return -1 }
            out.pointee = HTTPStream(request, over: ours.curl, ours.transfer).pointer(
                of: subtransport)
            return 0
        }

    private static func outer(
        _ pointer: UnsafeMutablePointer<git_smart_subtransport>?
    ) -> UnsafeMutablePointer<clibgit2_subtransport>? {
        pointer.map {
            UnsafeMutableRawPointer($0).assumingMemoryBound(to: clibgit2_subtransport.self)
        }
    }
}

/// What is asked of a smart server, by git's protocol (gitprotocol-http(5)).
struct HTTPRequest {
    let url: String
    let isPost: Bool
    let contentType: String
    /// What a smart server answers with; anything else is a page for people.
    let answerType: String

    /// Nil for what we never do: sending commits.
    init?(_ action: git_smart_service_t, at address: String) {
        var address = address
        while address.hasSuffix("/") { address.removeLast() }
        contentType = "application/x-git-upload-pack-request"
        switch action {
        case GIT_SERVICE_UPLOADPACK_LS:
            url = address + "/info/refs?service=git-upload-pack"
            isPost = false
            answerType = "application/x-git-upload-pack-advertisement"
        case GIT_SERVICE_UPLOADPACK:
            url = address + "/git-upload-pack"
            isPost = true
            answerType = "application/x-git-upload-pack-result"
        default: return nil
        }
    }
}

/// One request and its answer, as libgit2 writes and reads it.
final class HTTPStream {
    private let request: HTTPRequest
    private let curl: HTTPConnection
    private let transfer: GitTransfer
    private var body: [UInt8] = []
    private var hasBegun = false

    /// What we have, and what we want: hashes.
    private static let bodyByteCountMax = 64 << 20

    init(_ request: HTTPRequest, over curl: HTTPConnection, _ transfer: GitTransfer) {
        self.request = request
        self.curl = curl
        self.transfer = transfer
    }

    /// Owned by libgit2 from now on.
    func pointer(
        of subtransport: UnsafeMutablePointer<git_smart_subtransport>
    ) -> UnsafeMutablePointer<git_smart_subtransport_stream> {
        let parent = git_smart_subtransport_stream(
            subtransport: subtransport, read: Self.read, write: Self.write, free: Self.free)
        let pointer = UnsafeMutablePointer<clibgit2_stream>.allocate(capacity: 1)
        pointer.initialize(
            to: clibgit2_stream(parent: parent, context: Unmanaged.passRetained(self).toOpaque()))
        return UnsafeMutableRawPointer(pointer)
            .assumingMemoryBound(to: git_smart_subtransport_stream.self)
    }

    private typealias Stream = UnsafeMutablePointer<git_smart_subtransport_stream>

    private static func outer(_ stream: Stream) -> UnsafeMutablePointer<clibgit2_stream> {
        UnsafeMutableRawPointer(stream).assumingMemoryBound(to: clibgit2_stream.self)
    }

    private static func ours(_ stream: Stream) -> HTTPStream {
        Unmanaged<HTTPStream>.fromOpaque(outer(stream).pointee.context).takeUnretainedValue()
    }

    private static let read:
        @convention(c) (
            UnsafeMutablePointer<git_smart_subtransport_stream>?, UnsafeMutablePointer<CChar>?, Int,
            UnsafeMutablePointer<Int>?
        ) -> CInt = { stream, buffer, size, count in
            guard let stream, let buffer, let count else { return -1 }
            do throws(HTTPConnection.Failure) {
                let room = UnsafeMutableRawBufferPointer(start: buffer, count: size)
                count.pointee = try ours(stream).read(into: room)
                return 0
            } catch {
                clibgit2_set_error(error.message)
                return error.wantsCredentials ? GIT_EAUTH.rawValue : -1
            }
        }

    private static let write:
        @convention(c) (
            UnsafeMutablePointer<git_smart_subtransport_stream>?, UnsafePointer<CChar>?, Int
        ) -> CInt = { stream, bytes, count in
            guard let stream, let bytes else { return -1 }
            let ours = ours(stream)
            guard ours.body.count + count <= bodyByteCountMax, !ours.hasBegun else { return -1 }
            ours.body += UnsafeRawBufferPointer(start: bytes, count: count)
            return 0
        }

    private static let free:
        @convention(c) (UnsafeMutablePointer<git_smart_subtransport_stream>?) -> Void = { stream in
            guard let stream else { return }
            let pointer = outer(stream)
            Unmanaged<HTTPStream>.fromOpaque(pointer.pointee.context).release()
            pointer.deallocate()
        }

    /// 0 at the end of the answer.
    private func read(
        into room: UnsafeMutableRawBufferPointer
    ) throws(HTTPConnection.Failure) -> Int {
        if !hasBegun {
            hasBegun = true
            try curl.begin(request, body: body, transfer)
        }
        return try curl.read(into: room)
    }
}

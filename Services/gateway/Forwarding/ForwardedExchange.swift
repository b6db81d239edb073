import NIOCore
import NIOHTTP1

/// One request on its way through: from a client's connection to a replica's and back.
final class ForwardedExchange {
    private let head: HTTPRequestHead
    let upstream: Upstream
    private let pool: UpstreamPool
    private var client: ClientConnection?
    private var connection: UpstreamConnection?
    private var candidates: [ReplicaConnections] = []
    /// The client waits for leave to send its body (`Expect: 100-continue`).
    private var expectsContinue: Bool
    /// What the client sent before a connection was there.
    private var early: [ByteBuffer] = []
    private var isBodySent = false
    /// Bytes of a body that the head still lets follow: more would be read as the next request.
    private var bodyLeft: Int
    private var isEndSent = false
    private var isResponseBegun = false
    private(set) var isEventStream = false
    /// A pooled connection failed this request once; only fresh ones will do now.
    private var needsFresh = false

    init(
        client: ClientConnection, head: HTTPRequestHead, upstream: Upstream, pool: UpstreamPool,
        expectsContinue: Bool
    ) {
        self.client = client
        self.head = head
        self.upstream = upstream
        self.pool = pool
        self.expectsContinue = expectsContinue
        switch HeaderRules.Framing(head) {
        case .none: bodyLeft = 0
        case .length(let text): bodyLeft = Int(text) ?? 0
        case .chunked: bodyLeft = .max
        }
    }

    func start() {
        candidates = pool.candidates(upstream)
        connectNext()
    }

    private func connectNext() {
        guard client != nil else { return }
        guard !candidates.isEmpty else { return give(up: .upstreamDown) }
        let replica = candidates.removeFirst()
        if !needsFresh, let idle = replica.popIdle() { return use(idle) }
        pool.connect(to: replica).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let connection):
                if client == nil {
                    connection.value.close()
                } else {
                    use(connection.value)
                }
            case .failure:
                replica.state.fail()
                connectNext()
            }
        }
    }

    private func use(_ connection: UpstreamConnection) {
        guard let client else { return connection.close() }
        self.connection = connection
        connection.begin(self)
        var head = head
        head.headers.add(name: "Host", value: connection.replica.state.authority)
        connection.write(.head(head))
        if expectsContinue, !client.isRequestEnded {
            expectsContinue = false
            client.sendContinue()
        }
        let early = early
        self.early = []
        for bytes in early { clientSent(bytes) }
        if client.isRequestEnded { clientEnded() }
        connection.flush()
        client.resumeReading()
    }

    /// Whether more of the body would go on at once.
    var takesMore: Bool { connection?.isWritable ?? false }

    func clientSent(_ bytes: ByteBuffer) {
        guard let connection else { return early.append(bytes) }
        guard bytes.readableBytes <= bodyLeft else {
            let client = client
            clientGone()
            client?.breakOff()
            return
        }
        if bodyLeft < .max { bodyLeft -= bytes.readableBytes }
        isBodySent = true
        connection.write(.body(.byteBuffer(bytes)))
    }

    func clientEnded() {
        guard let connection, !isEndSent else { return }
        isEndSent = true
        connection.write(.end(nil))
    }

    func clientPaused() { connection?.flush() }

    func clientTakesMore() { connection?.resumeReading() }

    func clientGone() {
        client = nil
        let abandoned = connection
        connection = nil
        abandoned?.close()
    }

    var isClientWritable: Bool { client?.isWritable ?? true }

    func upstreamSent(_ head: HTTPResponseHead) {
        guard let client, !isResponseBegun else { return }
        isResponseBegun = true
        connection?.replica.state.succeed()
        let type = head.headers.first(name: "Content-Type") ?? ""
        isEventStream = type.lowercased().hasPrefix("text/event-stream")
        client.sendHead(
            head.status, HeaderRules.backward(head.headers, requestID: client.record?.id ?? ""))
    }

    func upstreamSent(_ bytes: ByteBuffer) { client?.sendBody(bytes) }

    func upstreamPaused() { client?.flush() }

    func upstreamTakesMore() { client?.resumeReading() }

    func upstreamEnded() {
        let client = client
        let connection = connection
        self.client = nil
        self.connection = nil
        connection?.release(isRequestEnded: isEndSent)
        client?.sendEnd()
    }

    /// The connection is gone before the response's end.
    func upstreamFailed() {
        let isRetryable = connection?.isReused == true && mayRepeat
        // One that it closed while unused says nothing about it.
        if let connection, !connection.isReused, !isResponseBegun {
            connection.replica.state.fail()
        }
        connection = nil
        guard let client else { return }
        if isResponseBegun {
            self.client = nil
            client.breakOff()
        } else if isRetryable {
            needsFresh = true
            isEndSent = false
            start()
        } else {
            give(up: .upstreamBroke)
        }
    }

    /// Nothing came back, so it is enough that doing it twice is harmless, or that the service
    /// cannot have acted: the body it waits for never left here.
    private var mayRepeat: Bool {
        CrossSite.isSafe(head.method) ? !isBodySent : !isBodySent && !isEndSent
    }

    func tick(_ silence: TimeAmount) {
        if !isResponseBegun {
            guard silence > pool.limits.responseHead else { return }
            let abandoned = connection
            connection = nil
            abandoned?.replica.state.fail()
            abandoned?.close()
            give(up: .upstreamTimeout)
        } else if !isEventStream, silence > pool.limits.responseBody {
            let client = client
            clientGone()
            client?.breakOff()
        }
    }

    private func give(up problem: Problem) {
        let client = client
        self.client = nil
        client?.answer(problem)
    }
}

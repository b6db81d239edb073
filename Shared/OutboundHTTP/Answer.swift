package import FoundationEssentials
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

extension OutboundHTTP.Answer {
    package var isSuccess: Bool { (200..<300).contains(status) }

    package var retryAfter: Duration? { headers.retryAfter(now: Date().timeIntervalSince1970) }

    /// Returns itself, so that calls read in one line.
    @discardableResult
    package func requireSuccess() throws(OutboundError) -> Self {
        guard isSuccess else {
            throw .refused(peer: peer, status: status, retryAfter: retryAfter)
        }
        return self
    }

    /// The body as JSON of the given form.
    package func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, with decoder: JSONDecoder = JSONDecoder()
    ) throws(OutboundError) -> Value {
        do {
            return try decoder.decode(type, from: Data(body.readableBytesView))
        } catch {
            throw .undecodable(peer: peer)
        }
    }
}

import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL

/// Why a call to another process gave nothing usable, by what the caller can do about it.
///
/// `peer` is our own name for the other side; addresses, bodies and keys are never in here.
package enum OutboundError: Error, Hashable {
    /// No connection: nothing was sent, so anything may be tried again.
    case unreachable(peer: String)
    /// The deadline, or the longest silence allowed, passed. The other side may have acted.
    case timedOut(peer: String)
    /// The answer has more bytes than the caller allowed.
    case tooLarge(peer: String)
    /// The connection ended, or what came was no HTTP, before the answer was whole.
    case broken(peer: String)
    /// An answer, but not the one that was wanted.
    case refused(peer: String, status: Int, retryAfter: Duration?)
    /// The answer came whole and is not of the form it should have.
    case undecodable(peer: String)
    /// Our own task was cancelled.
    case cancelled

    /// What connecting fails with; anything else happens on a connection that was there.
    private static let unreachableCodes: Set<CInt> = [
        ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, ENOENT,
    ]

    /// Sorts what the client library throws.
    init(_ error: any Error, peer: String) {
        switch error {
        case let error as OutboundError: self = error
        case is CancellationError: self = .cancelled
        case is NIOTooManyBytesError: self = .tooLarge(peer: peer)
        case let error as HTTPClientError: self = Self.sorted(error, peer: peer)
        case is HTTPParserError: self = .broken(peer: peer)
        case is NIOSSLError, is BoringSSLError:
            self = .unreachable(peer: peer)
        case let error as IOError where Self.unreachableCodes.contains(error.errnoCode):
            self = .unreachable(peer: peer)
        case is IOError, is ChannelError:
            self = .broken(peer: peer)
        default: self = .unreachable(peer: peer)
        }
    }

    private static func sorted(_ error: HTTPClientError, peer: String) -> OutboundError {
        switch error {
        case .cancelled: .cancelled
        case .deadlineExceeded, .readTimeout, .writeTimeout: .timedOut(peer: peer)
        case .remoteConnectionClosed, .uncleanShutdown, .bodyLengthMismatch:
            .broken(peer: peer)
        default: .unreachable(peer: peer)
        }
    }
}

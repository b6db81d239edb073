internal import OutboundHTTP

/// Why the vector engine gave nothing, by what the caller can do about it.
package enum QdrantError: Error, Hashable {
    /// Away, too slow, overloaded or cut: later it may work.
    case unreachable
    /// It will say the same again. The message is the engine's own, for our logs only.
    case refused(status: Int, message: String)
    /// No such collection.
    case notFound
    case undecodable
    /// Our own task was cancelled.
    case cancelled

    init(_ error: OutboundError) {
        switch error {
        case .cancelled: self = .cancelled
        case .undecodable, .tooLarge: self = .undecodable
        case .refused(_, let status, _): self = .refused(status: status, message: "")
        case .unreachable, .timedOut, .broken: self = .unreachable
        }
    }
}

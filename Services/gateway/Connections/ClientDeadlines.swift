import NIOCore

/// What a client's connection does about time, once a second.
extension ClientConnection {
    func tick(_ now: NIODeadline) {
        let silence = now - lastProgress
        let limits = door.limits
        if let lingerUntil {
            if now > lingerUntil { close() }
        } else if record == nil {
            if let headBegunAt, now - headBegunAt > limits.requestHead {
                refuseUnasked(.requestTimeout)
            } else if silence > limits.idle {
                close()
            } else if door.isDraining, isRequestEnded {
                closeWhenSent()
            }
        } else if let exchange {
            guard now - startedAt <= limits.request || exchange.isEventStream else {
                return requestTookTooLong(exchange)
            }
            if !isWritable {
                if silence > limits.stalledClient { close() }
            } else if !isRequestEnded, !isHeadSent, !isReadHeld {
                guard silence > limits.requestBody else { return }
                exchange.clientGone()
                answer(Problem.requestTimeout)
            } else {
                exchange.tick(silence)
            }
        }
    }

    private var startedAt: NIODeadline { record?.startedAt ?? .now() }

    private func requestTookTooLong(_ exchange: ForwardedExchange) {
        exchange.clientGone()
        if isHeadSent {
            breakOff()
        } else {
            answer(isRequestEnded ? Problem.upstreamTimeout : .requestTimeout)
        }
    }
}

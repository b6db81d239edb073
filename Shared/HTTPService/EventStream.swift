import FoundationEssentials
import HTTPTypes
package import Hummingbird
package import NIOCore

/// An answer of server-sent events.
///
/// Frames are written one by one as they come, nothing waits in between. Who makes them gives an empty one
/// now and then when there is nothing to tell: after a silence a comment goes out then, so that proxies keep
/// the connection. Every stream that ends, ends with the sentinel.
/// A client that has gone is noticed by the next write or two, keep-alives included, and the reading of
/// the frames ends: whoever reads them is only a viewer. (Hummingbird can watch the connection itself,
/// but in 2.28 it traps when a client leaves whose body was read before.)
package struct EventStream: Sendable {
    /// A line for those who look for exactly it, and no blank line of two LF for those who would
    /// parse what follows `data: ` as JSON.
    package static let sentinel = ByteBuffer(string: "data: [DONE]\n\r\n")
    static let keepAlive = ByteBuffer(string: ": keep-alive\n\n")

    /// `id: N`, `data: {"type": T, "data": D}`, a blank line. JSON holds no line ends, so one line is
    /// enough.
    package static func frame(
        id: Int? = nil, _ type: String, _ data: some Encodable
    ) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var frame = ByteBuffer()
        if let id { frame.writeString("id: \(id)\n") }
        frame.writeString("data: {\"type\": \"\(type)\", \"data\": ")
        frame.writeBytes(try encoder.encode(data))
        frame.writeString("}\n\n")
        return frame
    }

    /// The same of a text: most of all frames are, so that it matters what they cost.
    package static func frame(id: Int, _ type: String, text: String) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.reserveCapacity(64 + text.utf8.count * 2)
        frame.writeString("id: ")
        frame.writeString(String(id))
        frame.writeString("\ndata: {\"type\": \"")
        frame.writeString(type)
        frame.writeString("\", \"data\": ")
        frame.writeJSONString(text)
        frame.writeString("}\n\n")
        return frame
    }

    /// How often at least a source of frames gives an empty one.
    package static let silenceInterval: Duration = .seconds(3)

    private let keepAliveInterval: Duration

    package init(keepAliveInterval: Duration = .seconds(15)) {
        self.keepAliveInterval = keepAliveInterval
    }

    package func response<Frames: AsyncSequence & Sendable>(
        frames: Frames
    ) -> Response where Frames.Element == ByteBuffer {
        var headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8",
            .cacheControl: "no-cache, no-transform",
        ]
        if let name = HTTPField.Name.accelBuffering { headers[name] = "no" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await write(frames, to: &writer)
                try await writer.finish(nil)
            })
    }

    @concurrent private func write<Frames: AsyncSequence & Sendable>(
        _ frames: Frames, to writer: inout any ResponseBodyWriter
    ) async throws where Frames.Element == ByteBuffer {
        var lastWrite = ContinuousClock.now
        for try await frame in frames {
            let isSilence = frame.readableBytes == 0
            if isSilence, ContinuousClock.now - lastWrite < keepAliveInterval { continue }
            try await writer.write(isSilence ? Self.keepAlive : frame)
            lastWrite = .now
        }
        try await writer.write(Self.sentinel)
    }
}

extension HTTPField.Name {
    /// Tells nginx and its like not to collect what they pass on.
    fileprivate static let accelBuffering = HTTPField.Name("X-Accel-Buffering")
}

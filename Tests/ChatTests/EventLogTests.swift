import FoundationEssentials
import NIOCore
import Testing

@testable import Chat

@Suite("Event log")
struct EventLogTests {
    @Test("frames are an id line, a data line and a blank line, nothing else")
    func frame() throws {
        let frame = try AnswerEvent.token("a\n\"b\" / €").frame(id: 7)
        #expect(
            String(buffer: frame)
                == "id: 7\ndata: {\"type\": \"token\", \"data\": \"a\\n\\\"b\\\" / €\"}\n\n")
    }

    @Test("done says null where usage is unknown")
    func done() throws {
        let event = AnswerEvent.done(.init(messageID: "m", finishReason: "stop", usage: nil))
        #expect(
            String(buffer: try event.frame(id: 1)).contains(
                #"{"finish_reason":"stop","message_id":"m","usage":null}"#))
    }

    @Test("every viewer gets every frame, whenever it comes")
    func viewers() async throws {
        let log = EventLog()
        try log.append(.token("a"))
        try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<3 { group.addTask { try await Self.read(log) } }
            try log.append(.token("b"))
            try log.append(.token("c"))
            log.close()
            group.addTask { try await Self.read(log) }
            for try await frames in group { #expect(frames.count == 3) }
        }
    }

    @Test("a viewer that goes away leaves the log as it is")
    func cancelled() async throws {
        let log = EventLog()
        await withThrowingTaskGroup(of: [String].self) { group in
            group.addTask { try await Self.read(log) }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
        try log.append(.token("a"))
        log.close()
        #expect(try await Self.read(log).count == 1)
    }

    static func read(_ log: EventLog) async throws -> [String] {
        var frames: [String] = []
        for try await frame in log.frames() { frames.append(String(buffer: frame)) }
        return frames
    }
}

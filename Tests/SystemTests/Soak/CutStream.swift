import Foundation
import TestSupport

/// One answer, seen by a client whose connection breaks again and again.
struct CutStream {
    let message: String
    /// Whole frames, as they came.
    private(set) var frames: [Frame] = []
    private(set) var cutCount = 0

    struct Frame: Equatable {
        let id: Int
        let text: String
    }

    var lastID: Int { frames.last?.id ?? 0 }
    var isEnded: Bool { frames.last?.text.contains(#""type": "done""#) ?? false }
    var wasTakenOver: Bool { lastID > 1_000_000 }
    var text: String { frames.map(\.text).joined() }
    /// Without what its second maker ended it with.
    var textOfFirstMaker: String {
        frames.filter { $0.id <= 1_000_000 }.map(\.text).joined()
    }

    init?(_ bytes: [UInt8]) {
        frames = Self.frames(bytes)
        guard let meta = frames.first, meta.text.contains(#""type": "meta""#),
            let id = meta.text.firstMatch(of: /"message_id":"([0-9a-f-]+)"/)?.output.1
        else { return nil }
        message = String(id)
    }

    /// What came after a cut. Throws when it is not what follows.
    mutating func goOn(with bytes: [UInt8]) throws {
        cutCount += 1
        for frame in Self.frames(bytes) {
            // What died before anything of it was written down begins anew, with its first event.
            let isNext = frame.id == lastID + 1 || frame.id == 1_000_001
            guard isNext else {
                throw NotAStream(description: "\(frame.id) after \(lastID) of \(message)")
            }
            frames.append(frame)
        }
    }

    /// Those that are whole; comments and the sentinel are none.
    static func frames(_ bytes: [UInt8]) -> [Frame] {
        String(decoding: bytes, as: UTF8.self).replacing(": keep-alive\n\n", with: "")
            .matches(of: /id: (\d+)\ndata: [^\n]*\n\n/)
            .compactMap { match in
                Int(match.output.1).map { Frame(id: $0, text: String(match.output.0)) }
            }
    }
}

/// Cuts server-sent events out of bytes as they come (WHATWG HTML, 9.2), giving each event's data.
///
/// Lines may end with LF, CR or CRLF, and any of it may be split over buffers anywhere.
struct EventStreamParser {
    /// An event with more bytes than this is no event of ours.
    struct Overflow: Error {}

    private let byteCountMax: Int
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    /// An LF that comes next belongs to the CR that was the end of the line before.
    private var endedWithCarriageReturn = false
    private var isFirstLine = true

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// The data of every event that these bytes complete.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(Overflow) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for byte in bytes {
            let followsCarriageReturn = endedWithCarriageReturn
            endedWithCarriageReturn = byte == 13
            switch byte {
            case 10 where followsCarriageReturn: continue
            case 10, 13:
                if let event = endLine() { events.append(event) }
            default:
                line.append(byte)
                if line.count + data.count > byteCountMax { throw Overflow() }
            }
        }
        return events
    }

    private mutating func endLine() -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine {
            isFirstLine = false
            // A byte order mark may begin the stream.
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        if line.isEmpty {
            defer {
                data.removeAll(keepingCapacity: true)
                hasData = false
            }
            return hasData ? data : nil
        }
        let colon = line.firstIndex(of: 58)
        let name = line[..<(colon ?? line.endIndex)]
        // llama.cpp writes errors in a field of that name instead of data.
        guard name.elementsEqual("data".utf8) || name.elementsEqual("error".utf8) else {
            return nil
        }
        var value = colon.map { line[($0 + 1)...] } ?? []
        if value.first == 32 { value = value.dropFirst() }
        if hasData { data.append(10) }
        data += value
        hasData = true
        return nil
    }
}

internal import Glibc

extension CharacterEncoding {
    /// What the bytes say. Those that say nothing become U+FFFD, a byte at a time, so that one
    /// broken character does not cost the rest of the text.
    package func decode(_ bytes: [UInt8]) -> String {
        if self == .utf8 { return String(decoding: bytes, as: UTF8.self) }
        guard let converter = Converter(from: name) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        return converter.convert(bytes)
    }
}

/// The C library's converter, for one text.
private struct Converter: ~Copyable {
    private let handle: iconv_t
    private static let replacement = Array("\u{FFFD}".utf8)
    private static let bufferByteCount = 16 << 10

    init?(from encoding: String) {
        guard let handle = iconv_open("UTF-8", encoding), handle != iconv_t(bitPattern: -1) else {
            return nil
        }
        self.handle = handle
    }

    deinit { iconv_close(handle) }

    func convert(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + bytes.count / 8)
        var input = bytes.map { CChar(bitPattern: $0) }
        var buffer = [CChar](repeating: 0, count: Self.bufferByteCount)
        var position = 0
        while position < input.count {
            let (readCount, written, failure) = step(&input, from: position, into: &buffer)
            position += readCount
            text += buffer[..<written].lazy.map { UInt8(bitPattern: $0) }
            guard let failure, failure != E2BIG else { continue }
            text += Self.replacement
            position += 1
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// How much was read and written, and why it stopped before the end.
    private func step(
        _ input: inout [CChar], from position: Int, into buffer: inout [CChar]
    ) -> (readCount: Int, written: Int, failure: CInt?) {
        let available = input.count - position
        return input.withUnsafeMutableBufferPointer { input in
            buffer.withUnsafeMutableBufferPointer { buffer in
                var source = input.baseAddress.map { $0 + position }
                var sourceCount = available
                var target = buffer.baseAddress
                var targetCount = buffer.count
                let result = iconv(handle, &source, &sourceCount, &target, &targetCount)
                let failure: CInt? = result == Int(bitPattern: UInt.max) ? errno : nil
                return (available - sourceCount, buffer.count - targetCount, failure)
            }
        }
    }
}

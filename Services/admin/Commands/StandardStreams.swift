import FoundationEssentials
import Glibc

/// The input and output of a command that is a child of ours.
enum StandardStreams {
    struct Failure: Error {}

    static func readAll(byteCountMax: Int) throws -> Data {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0, bytes.count + count <= byteCountMax else { throw Failure() }
            if count == 0 { return Data(bytes) }
            bytes += buffer.prefix(count)
        }
    }

    static func write(_ data: Data) throws {
        var rest = Array(data)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure() }
            rest = rest.dropFirst(count)
        }
    }
}

import Glibc

/// An instant as log lines have it: RFC 3339, in UTC, with milliseconds.
package struct LogTime {
    private let seconds: Int
    private let milliseconds: Int

    /// To the millisecond.
    package static func now() -> LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// Since 1970.
    init(seconds: Int, milliseconds: Int) {
        self.seconds = seconds
        self.milliseconds = milliseconds
    }

    func append(to bytes: inout [UInt8]) {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        Self.append(parts.tm_year + 1900, "-", to: &bytes, from: 1000)
        Self.append(parts.tm_mon + 1, "-", to: &bytes)
        Self.append(parts.tm_mday, "T", to: &bytes)
        Self.append(parts.tm_hour, ":", to: &bytes)
        Self.append(parts.tm_min, ":", to: &bytes)
        Self.append(parts.tm_sec, ".", to: &bytes)
        Self.append(Int32(milliseconds), "Z", to: &bytes, from: 100)
    }

    /// As many digits as the unit of the first one has, and what stands behind them.
    private static func append(
        _ number: Int32, _ mark: Unicode.Scalar, to bytes: inout [UInt8], from firstUnit: Int32 = 10
    ) {
        var unit = firstUnit
        while unit > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / unit % 10))
            unit /= 10
        }
        bytes.append(UInt8(ascii: mark))
    }
}

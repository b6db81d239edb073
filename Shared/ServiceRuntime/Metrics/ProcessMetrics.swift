import Glibc
import Synchronization

/// What the kernel knows of this process, under the names that Prometheus's own clients use.
struct ProcessMetrics: Sendable {
    private static let start = Double(time(nil))

    /// The process has begun.
    static func begin() { _ = start }

    func metrics() -> [MetricFamily] {
        var cpu = MetricFamily(
            "process_cpu_seconds_total", .counter, help: "User and system time, in seconds.")
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        cpu.add(Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime))
        var memory = MetricFamily(
            "process_resident_memory_bytes", .gauge, help: "Resident memory, in bytes.")
        memory.add(Self.residentPageCount() * Int(sysconf(Int32(_SC_PAGESIZE))))
        var open = MetricFamily("process_open_fds", .gauge, help: "Open file descriptors.")
        open.add(Self.openDescriptorCount())
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        var most = MetricFamily(
            "process_max_fds", .gauge, help: "File descriptors that may be open.")
        most.add(limit.rlim_cur)
        var start = MetricFamily(
            "process_start_time_seconds", .gauge, help: "When it began, in seconds since 1970.")
        start.add(Self.start)
        return [cpu, memory, open, most, start]
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000
    }

    /// The second number of `/proc/self/statm`.
    private static func residentPageCount() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let text = String(decoding: line.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let numbers = text.split(separator: " ")
        return numbers.count > 1 ? Int(numbers[1]) ?? 0 : 0
    }

    private static func openDescriptorCount() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        // Its own one, and the entries for itself and its parent.
        var count = -3
        while readdir(folder) != nil { count += 1 }
        return count
    }
}

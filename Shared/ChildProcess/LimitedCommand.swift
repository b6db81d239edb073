/// The command line that puts limits on a program and becomes it.
enum LimitedCommand {
    static let launcher = "/usr/bin/setpriv"

    static func arguments(
        _ executable: String, _ arguments: [String], _ limits: ChildProcess.Limits
    ) -> [String] {
        [
            "--no-new-privs", "--", "/usr/bin/prlimit",
            "--as=\(limits.addressSpaceByteCount)", "--cpu=\(limits.cpuSeconds)",
            "--fsize=\(limits.fileByteCount)", "--nofile=\(limits.openFileCount)", "--core=0",
            "--", executable,
        ] + arguments
    }
}

internal import Foundation

/// A file system of a few megabytes, to be filled. Only root may mount one.
package final class SmallDisk: Sendable {
    package let path: String
    private var filler: String { path + "/filler" }

    /// Whether this process may make one here.
    package static let isPossible: Bool = (try? SmallDisk(megabytes: 1)) != nil

    package init(megabytes: Int) throws {
        path = NSTemporaryDirectory() + "disk-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        do {
            try runToEnd("/bin/mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path])
        } catch {
            try FileManager.default.removeItem(atPath: path)
            throw error
        }
    }

    deinit {
        // What stays mounted is a few megabytes, until the machine is stopped.
        _ = try? runToEnd("/bin/umount", ["--lazy", path])
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Not a byte is left.
    package func fill() throws {
        // It ends as it shall: for want of space.
        _ = try? runToEnd("/bin/dd", ["if=/dev/zero", "of=\(filler)", "bs=1k"])
        let free = try FileManager.default.attributesOfFileSystem(forPath: path)[.systemFreeSize]
        guard free as? Int == 0 else {
            throw CommandFailure(command: "dd", printed: "\(free ?? "")")
        }
    }

    package func makeRoom() throws { try FileManager.default.removeItem(atPath: filler) }
}

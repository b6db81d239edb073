import ArgumentParser
import FoundationEssentials
import Glibc
import Logging
import SystemPackage

/// `admin backup`: everything in one archive.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write all rows and the bytes of all uploads to one archive.",
        discussion: """
            Everything may go on meanwhile. The archive is a tar compressed by zstd, and nothing in it \
            is encrypted. "-" is standard output, for `age` or `gpg`.
            """)

    @Argument(help: "The file to write; one that is there is left alone.")
    var file: String

    func run() async throws {
        let path = file
        try await CommandRun.run("backup") { admin in
            if path == "-" {
                let summary = try await admin.backup.write(to: STDOUT_FILENO)
                return admin.logger.info(
                    "archive is written", metadata: ["file.count": "\(summary.fileCount)"])
            }
            let file = try NewFile(path)
            let summary: BackupSummary
            do {
                summary = try await admin.backup.write(to: file.descriptor.rawValue)
            } catch {
                file.discard()
                throw error
            }
            try file.publish()
            try CommandRun.print(summary)
        }
    }
}

/// A file that nobody but its owner may read, and that has its name only when it is whole.
private struct NewFile {
    let descriptor: FileDescriptor
    private let path: FilePath
    private let partial: FilePath

    init(_ path: String) throws {
        guard access(path, F_OK) != 0 else { throw BackupFailure.fileExists(path) }
        self.path = FilePath(path)
        // Of its own: two that write to one name do not write into one file.
        partial = FilePath("\(path).\(UUID().uuidString.prefix(8)).partial")
        do {
            descriptor = try FileDescriptor.open(
                partial, .writeOnly, options: [.create, .exclusiveCreate, .noFollow],
                permissions: [.ownerRead, .ownerWrite])
        } catch let error as Errno {
            throw BackupFailure.file(path, reason: error.description)
        }
    }

    /// Not over a file that came meanwhile. What cannot get its name stays, whole, under the other.
    func publish() throws {
        try require(fsync(descriptor.rawValue) == 0)
        if link(partial.string, path.string) == 0 {
            unlink(partial.string)
        } else {
            // Not every file system has links.
            let hasNone = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS
            try require(hasNone && rename(partial.string, path.string) == 0)
        }
        try descriptor.close()
        let folder = path.removingLastComponent()
        let opened = try FileDescriptor.open(folder.isEmpty ? "." : folder, .readOnly)
        defer { close(opened.rawValue) }
        try require(fsync(opened.rawValue) == 0)
    }

    func discard() {
        unlink(partial.string)
        // Nothing that counts is in it.
        try? descriptor.close()
    }

    private func require(_ isDone: Bool) throws {
        guard isDone else {
            throw BackupFailure.file(partial.string, reason: Errno(rawValue: errno).description)
        }
    }
}

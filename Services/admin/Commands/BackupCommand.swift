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
            do {
                let summary = try await admin.backup.write(to: file.descriptor.rawValue)
                try file.publish()
                try CommandRun.print(summary)
            } catch {
                file.discard()
                throw error
            }
        }
    }
}

/// A file that nobody but its owner may read, and that has its name only when it is whole.
private struct NewFile {
    let descriptor: FileDescriptor
    private let path: String
    private let partial: String

    init(_ path: String) throws {
        guard access(path, F_OK) != 0 else { throw BackupFailure.fileExists(path) }
        self.path = path
        partial = "\(path).partial"
        do {
            descriptor = try FileDescriptor.open(
                FilePath(partial), .writeOnly, options: [.create, .truncate],
                permissions: [.ownerRead, .ownerWrite])
        } catch let error as Errno {
            throw BackupFailure.file(partial, reason: error.description)
        }
    }

    /// Not over a file that came meanwhile.
    func publish() throws {
        guard fsync(descriptor.rawValue) == 0, link(partial, path) == 0 else {
            throw BackupFailure.file(path, reason: Errno(rawValue: errno).description)
        }
        discard()
    }

    func discard() {
        unlink(partial)
        // Nothing that counts is in it any more, or it is on disk already.
        try? descriptor.close()
    }
}

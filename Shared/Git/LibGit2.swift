import CLibGit2
import Glibc

/// A refusal of libgit2, with its own words: for logs, not for clients.
struct LibGit2Error: Error {
    let code: Int32
    let message: String

    /// The library keeps its last error per thread: read it at once.
    static func check(_ code: Int32) throws(LibGit2Error) {
        guard code < 0 else { return }
        let message = git_error_last()?.pointee.message.map { String(cString: $0) }
        throw LibGit2Error(code: code, message: message ?? "unknown")
    }

    var isNotFound: Bool { code == GIT_ENOTFOUND.rawValue }
}

/// The library's global state.
enum LibGit2 {
    /// Of packs, at once: the child's address space is limited.
    private static let mappedByteCountMax = 512 << 20

    /// Reads no configuration but the repository's own: none of the machine's rewrites a URL. Whose
    /// the clone is, is checked before it is opened; whose a local remote is, does not matter.
    ///
    /// - Parameter home: where `.ssh/known_hosts` is; without one no host of ssh is trusted.
    static func start(home: String?) throws(LibGit2Error) {
        // Of this process, which is a child of ours and has no environment.
        if let home { setenv("HOME", home, 1) }
        try LibGit2Error.check(git_libgit2_init())
        try LibGit2Error.check(clibgit2_set_owner_validation(0))
        let levels = [
            GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
            GIT_CONFIG_LEVEL_GLOBAL,
        ]
        for level in levels {
            try LibGit2Error.check(clibgit2_set_search_path(level.rawValue, ""))
        }
        try LibGit2Error.check(clibgit2_set_mapped_byte_count_max(mappedByteCountMax))
    }
}

/// An object of libgit2 that is freed with this value.
struct Handle: ~Copyable {
    let pointer: OpaquePointer
    private let free: (OpaquePointer) -> Void

    /// - Parameter make: gives the pointer, and libgit2's code.
    init(
        _ free: @escaping (OpaquePointer) -> Void,
        make: (inout OpaquePointer?) -> Int32
    ) throws(LibGit2Error) {
        var pointer: OpaquePointer?
        try LibGit2Error.check(make(&pointer))
        guard let pointer else { throw LibGit2Error(code: -1, message: "no object") }
        self.pointer = pointer
        self.free = free
    }

    deinit { free(pointer) }
}

import ChildProcess

/// The programs that open what we do not open ourselves, by what we ask of them. They run in the
/// folder of the document, which is called `input` there.
enum DocumentTool {
    static let document = OwnFolder.inputName

    /// Their tables of places have a hundred bytes for a word.
    private static let tableByteCountMax = 256 << 20

    /// What readers may read: programs, libraries, fonts, languages.
    static let readable = [
        "/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/fonts", "/var/cache/fontconfig",
        "/dev/null", "/dev/urandom", "/dev/zero",
    ]

    static func run(
        _ name: String, _ arguments: [String], outputByteCountMax: Int = tableByteCountMax
    ) throws(ExtractionFailure) -> ConfinedProgram.Result {
        let result: ConfinedProgram.Result
        do {
            result = try ConfinedProgram.run(
                "/usr/bin/\(name)", arguments, outputByteCountMax: outputByteCountMax)
        } catch {
            switch error {
            case .outputTooLarge: throw .tooMuchText
            case .notStarted: throw .toolMissing
            }
        }
        switch result.outcome {
        case .exited(127): throw .toolMissing
        case .timedOut: throw .timedOut
        // Out of memory, as a rule, or a fault that the document provoked.
        case .signalled: throw .tooLarge
        case .exited: return result
        }
    }
}

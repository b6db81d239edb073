/// The container of Office before 2007, which Office also puts around what it encrypts (MS-CFB,
/// MS-OFFCRYPTO 2.3). None is read; they are only told apart.
enum CompoundFile {
    private static let signature: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]
    /// The stream that holds the encrypted document, as the container's directory has its name.
    private static let encryptedName = "EncryptedPackage".utf16.flatMap {
        [UInt8($0 & 0xFF), UInt8($0 >> 8)]
    }

    /// Nil if the bytes are no such container.
    static func failure(of bytes: [UInt8]) -> ExtractionFailure? {
        guard bytes.starts(with: signature) else { return nil }
        return holdsEncryptedDocument(bytes) ? .encrypted : .corrupt
    }

    /// The directory's entries begin at multiples of 128 bytes, with their names.
    private static func holdsEncryptedDocument(_ bytes: [UInt8]) -> Bool {
        stride(from: 512, to: bytes.count, by: 128).contains {
            bytes[$0...].starts(with: encryptedName)
        }
    }
}

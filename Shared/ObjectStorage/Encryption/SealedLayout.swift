import COpenSSL
import NIOCore

/// What a sealed object begins with. All of it is authenticated with every frame.
struct SealedHeader: Sendable, Hashable {
    private static let magic = Array("celine1\n".utf8)
    private static let keyIDByteCount = 8
    private static let saltByteCount = 32
    static let byteCount = magic.count + keyIDByteCount + saltByteCount

    let keyID: [UInt8]
    let salt: [UInt8]

    /// A new object's.
    init(sealedBy key: EncryptionKey) throws(ObjectStorageError) {
        keyID = key.id
        var salt = [UInt8](repeating: 0, count: Self.saltByteCount)
        guard RAND_bytes(&salt, CInt(salt.count)) == 1 else {
            throw .unavailable("libcrypto has no random bytes")
        }
        self.salt = salt
    }

    init(_ buffer: ByteBuffer) throws(ObjectStorageError) {
        var buffer = buffer
        guard buffer.readBytes(length: Self.magic.count) == Self.magic,
            let keyID = buffer.readBytes(length: Self.keyIDByteCount),
            let salt = buffer.readBytes(length: Self.saltByteCount)
        else { throw .corrupt("the object is not sealed as its name says") }
        self.keyID = keyID
        self.salt = salt
    }

    var bytes: [UInt8] { Self.magic + keyID + salt }
}

/// Where the frames of a sealed object are: header, frames of equal size, a last one that is
/// shorter or full. An empty object has one empty frame, so that its end is sealed as well.
struct SealedLayout: Sendable, Hashable {
    static let frameByteCount = 64 << 10
    static let tagByteCount = 16
    private static let sealedFrameByteCount = frameByteCount + tagByteCount

    let plainByteCount: Int
    let frameCount: Int

    init(plainByteCount: Int) {
        self.plainByteCount = plainByteCount
        frameCount = max(
            1, (plainByteCount + Self.frameByteCount - 1) / Self.frameByteCount)
    }

    init(sealedByteCount: Int) throws(ObjectStorageError) {
        let body = sealedByteCount - SealedHeader.byteCount
        let frameCount = (body + Self.sealedFrameByteCount - 1) / Self.sealedFrameByteCount
        self.init(plainByteCount: max(0, body - frameCount * Self.tagByteCount))
        guard self.sealedByteCount == sealedByteCount else {
            throw .corrupt("the sealed object's length is none that we write")
        }
    }

    var sealedByteCount: Int {
        SealedHeader.byteCount + plainByteCount + frameCount * Self.tagByteCount
    }

    func isLast(_ frame: Int) -> Bool { frame == frameCount - 1 }

    /// The frames that hold these plain bytes.
    func frames(of plain: Range<Int>) -> Range<Int> {
        let first = plain.lowerBound / Self.frameByteCount
        return
            first..<max(
                first + 1, (plain.upperBound + Self.frameByteCount - 1) / Self.frameByteCount)
    }

    /// Where these frames are in the sealed object.
    func sealedRange(of frames: Range<Int>) -> Range<Int> {
        let start = SealedHeader.byteCount
        return
            (start + frames.lowerBound * Self.sealedFrameByteCount)..<min(
                sealedByteCount, start + frames.upperBound * Self.sealedFrameByteCount)
    }

    func sealedByteCount(of frame: Int) -> Int { sealedRange(of: frame..<(frame + 1)).count }
}

internal import CUchardet

extension CharacterEncoding {
    /// More says nothing new about the encoding of a text.
    private static let detectionByteCountMax = 1 << 20

    /// What the bytes look like to Mozilla's detector; nil when it cannot tell, or names an
    /// encoding that is not known here.
    package static func detect(_ bytes: some Sequence<UInt8>) -> CharacterEncoding? {
        guard let detector = uchardet_new() else { return nil }
        defer { uchardet_delete(detector) }
        let beginning = bytes.prefix(detectionByteCountMax).map { CChar(bitPattern: $0) }
        guard uchardet_handle_data(detector, beginning, beginning.count) == 0 else { return nil }
        uchardet_data_end(detector)
        guard let name = uchardet_get_charset(detector) else { return nil }
        return CharacterEncoding(named: String(cString: name))
    }
}

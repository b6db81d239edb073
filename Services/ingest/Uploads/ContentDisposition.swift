/// How a browser is to treat a downloaded file (RFC 6266).
enum ContentDisposition {
    /// What a browser shows without running anything in it.
    private static let shown: Set<String> = [
        "application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain",
    ]

    static func header(filename: String, contentType: String) -> String {
        let disposition = shown.contains(contentType) ? "inline" : "attachment"
        return
            "\(disposition); filename=\"\(plain(filename))\"; filename*=UTF-8''\(encoded(filename))"
    }

    /// For programs that do not know `filename*`.
    private static func plain(_ filename: String) -> String {
        String(
            filename.map { character in
                let isPlain = character.isASCII && !"\"\\%".contains(character)
                return isPlain && character >= " " && character != "\u{7F}" ? character : "_"
            })
    }

    /// RFC 8187.
    private static func encoded(_ filename: String) -> String {
        filename.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                return String(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                return "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }.joined()
    }
}

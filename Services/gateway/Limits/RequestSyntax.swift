import NIOHTTP1

/// What the parser lets through and two servers could still read differently (RFC 9112).
enum RequestSyntax {
    static func isSound(_ head: HTTPRequestHead) -> Bool {
        guard head.version.major == 1 else { return false }
        let hosts = head.headers["Host"]
        guard hosts.count == 1 || (hosts.isEmpty && head.version != .http1_1),
            hosts.allSatisfy(isAuthority)
        else { return false }
        return isFramed(head)
    }

    /// One way to tell where the body ends, and no coding that we would have to undo.
    private static func isFramed(_ head: HTTPRequestHead) -> Bool {
        let codings = head.headers["Transfer-Encoding"]
        let lengths = head.headers["Content-Length"]
        if codings.isEmpty {
            return lengths.isEmpty || (lengths.count == 1 && isNumber(lengths[0]))
        }
        return head.version == .http1_1 && lengths.isEmpty && codings.count == 1
            && codings[0].lowercased() == "chunked"
    }

    private static func isNumber(_ text: String) -> Bool {
        (1...19).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// A name or an address with an optional port: nothing that ends an authority, no user.
    private static func isAuthority(_ text: String) -> Bool {
        text.utf8.count <= 255
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~:[]%!$&'()*+;=".utf8.contains(byte)
                }
            }
    }
}

import FoundationEssentials
import HTTPTypes
package import Hummingbird
import NIOCore

/// Reads a JSON body, and says precisely what is wrong with one that does not fit.
package func decodeJSON<Value: Decodable>(
    _ type: Value.Type, from request: Request, byteCountMax: Int = 1 << 20
) async throws -> Value {
    guard JSONBody.isJSON(request.headers[.contentType]) else { throw Problem.notJSON }
    return try JSONBody.decode(type, try await JSONBody.collect(request, byteCountMax))
}

/// Nil when there is no body, or an empty object under whatever content type.
package func decodeOptionalJSON<Value: Decodable>(
    _ type: Value.Type, from request: Request, byteCountMax: Int = 1 << 20
) async throws -> Value? {
    let bytes = try await JSONBody.collect(request, byteCountMax)
    if bytes.isEmpty { return nil }
    let text = bytes.filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if text == Array("{}".utf8) { return nil }
    guard JSONBody.isJSON(request.headers[.contentType]) else { throw Problem.notJSON }
    return try JSONBody.decode(type, bytes)
}

enum JSONBody {
    static let depthMax = 64

    static func isJSON(_ contentType: String?) -> Bool {
        guard let contentType else { return false }
        var type = contentType.prefix { $0 != ";" }.lowercased()
        while type.last?.isWhitespace == true { type.removeLast() }
        return type == "application/json"
            || (type.hasPrefix("application/") && type.hasSuffix("+json"))
    }

    static func collect(_ request: Request, _ byteCountMax: Int) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }),
            length > byteCountMax
        {
            throw Problem.bodyTooLarge(byteCountMax: byteCountMax)
        }
        do {
            let buffer = try await request.body.collect(upTo: byteCountMax)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem.bodyTooLarge(byteCountMax: byteCountMax)
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
        guard depth(of: bytes) <= depthMax else {
            throw Problem.invalid("", "The body is nested more than \(depthMax) levels deep.")
        }
        guard !holdsNUL(bytes) else {
            throw Problem.invalid("", "The body must not hold the character U+0000.")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let problem as Problem {
            throw problem
        } catch let error as DecodingError {
            throw problem(of: error)
        } catch {
            throw Problem.invalid("", "The body is not valid JSON.")
        }
    }

    /// Whether a text in it has the one character that Postgres cannot keep: `\u0000`, and no backslash
    /// before that which takes its meaning away.
    static func holdsNUL(_ bytes: [UInt8]) -> Bool {
        let escape = Array("u0000".utf8)
        var position = 0
        while let backslash = bytes[position...].firstIndex(of: UInt8(ascii: "\\")) {
            if bytes[(backslash + 1)...].starts(with: escape) { return true }
            position = min(backslash + 2, bytes.count)
        }
        return false
    }

    /// How deep arrays and objects nest, by their brackets outside of strings. Decoding comes
    /// later, so the stack never depends on what a client sends.
    static func depth(of bytes: [UInt8]) -> Int {
        var (depth, deepest) = (0, 0)
        var (isInString, isEscaped) = (false, false)
        for byte in bytes {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                deepest = max(deepest, depth)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        return deepest
    }

    private static func problem(of error: DecodingError) -> Problem {
        switch error {
        case .keyNotFound(let key, let context):
            Problem.invalid(pointer(context.codingPath + [key]), "This field is required.")
        case .valueNotFound(_, let context):
            Problem.invalid(pointer(context.codingPath), "This must not be null.")
        case .typeMismatch(let type, let context):
            Problem.invalid(pointer(context.codingPath), "This must be \(name(of: type)).")
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            Problem.invalid(pointer(context.codingPath), "This is not valid.")
        default: Problem.invalid("", "The body is not valid JSON.")
        }
    }

    private static func pointer(_ path: [any CodingKey]) -> String {
        path.map { key in
            if let index = key.intValue { return "/\(index)" }
            var escaped = ""
            for character in key.stringValue {
                switch character {
                case "~": escaped += "~0"
                case "/": escaped += "~1"
                default: escaped.append(character)
                }
            }
            return "/" + escaped
        }.joined()
    }

    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is [Any].Type: "a list"
        case is [String: Any].Type: "an object"
        default: "of another type"
        }
    }
}

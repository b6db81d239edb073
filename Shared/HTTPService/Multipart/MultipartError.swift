/// Why a `multipart/form-data` body cannot be read.
package enum MultipartError: Error, Hashable {
    /// The content type is not `multipart/form-data` with a usable boundary.
    case notMultipart
    /// The body breaks RFC 2046 or RFC 7578: a cut stream, a bad delimiter, bad headers.
    case malformed(String)
    /// A bound of `MultipartLimits` was passed.
    case tooMuch(String)
    /// No part of the wanted name carries a file.
    case fieldMissing(String)
    /// More bytes in the file than allowed.
    case fileTooLarge
}

/// What one body may take, the file itself apart.
package struct MultipartLimits: Sendable, Hashable {
    package var partCountMax = 16
    /// Of one part, all its headers together.
    package var headerByteCountMax = 8_192
    /// Of one field that is not the file.
    package var fieldByteCountMax = 65_536
    /// Before the first delimiter, and after the last.
    package var preambleByteCountMax = 4_096

    package init() {}
}

/// Why markup was not read to its end.
package enum MarkupError: Error, Hashable {
    /// Not well-formed, or it declares entities: no document that we read needs its own.
    case malformed
    /// Elements inside one another beyond the limit.
    case tooDeep
}

package import Domain
import HTTPTypes
package import Hummingbird

extension Request {
    /// The `Idempotency-Key`, nil when there is none.
    package func idempotencyKey() throws -> IdempotencyKey? {
        guard let name = HTTPField.Name("Idempotency-Key"), let text = headers[name] else {
            return nil
        }
        guard let key = IdempotencyKey(text) else { throw Problem.invalidKey }
        return key
    }
}

extension Problem {
    package static let keyReused = Problem(
        .unprocessableContent, code: "idempotency_key_reused",
        detail: "This Idempotency-Key was used for another request.")
    package static let invalidKey = Problem(
        .unprocessableContent, code: "invalid_idempotency_key",
        detail: "An Idempotency-Key has between 1 and \(IdempotencyKey.byteCountMax) characters.")
}

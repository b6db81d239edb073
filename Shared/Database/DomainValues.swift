package import Domain
internal import Postgres

// The domain's nouns as they stand in columns.

extension Identifier: PostgresValue, PostgresElement {}
extension User.ID: PostgresValue {}
extension Language: PostgresValue {}
extension Document.Kind: PostgresValue {}
extension Attachment.Status: PostgresValue {}
extension JobState: PostgresValue {}
extension Generation.State: PostgresValue {}
extension ConsistencyRun.State: PostgresValue {}
extension Message.Role: PostgresValue {}
extension Message.Status: PostgresValue {}
extension Message.FinishReason: PostgresValue {}

-- What members ask and upload, by day, beside the tokens: figures of a day stay when a conversation or a
-- file goes, and go with their member.
ALTER TABLE token_usage ADD COLUMN question_count bigint NOT NULL DEFAULT 0;
ALTER TABLE token_usage ADD COLUMN upload_count bigint NOT NULL DEFAULT 0;
ALTER TABLE token_usage ADD COLUMN uploaded_byte_count bigint NOT NULL DEFAULT 0;
CREATE INDEX token_usage_by_day ON token_usage (tenant_id, day, user_id);

-- Of the days before this only what is still there can be counted.
INSERT INTO token_usage (tenant_id, user_id, day, question_count)
SELECT c.tenant_id, c.user_id, (m.created_at AT TIME ZONE 'UTC')::date, count(*)
FROM messages m JOIN conversations c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
WHERE m.role = 'user'
GROUP BY c.tenant_id, c.user_id, (m.created_at AT TIME ZONE 'UTC')::date
ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET question_count = excluded.question_count;

INSERT INTO token_usage (tenant_id, user_id, day, upload_count, uploaded_byte_count)
SELECT a.tenant_id, a.owner_user_id, (a.created_at AT TIME ZONE 'UTC')::date, count(*), sum(a.byte_count)
FROM attachments a JOIN documents d ON d.tenant_id = a.tenant_id AND d.id = a.id
WHERE a.owner_user_id IS NOT NULL AND d.deleted_at IS NULL
GROUP BY a.tenant_id, a.owner_user_id, (a.created_at AT TIME ZONE 'UTC')::date
ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET
    upload_count = excluded.upload_count, uploaded_byte_count = excluded.uploaded_byte_count;

-- Whom a record names, whatever was looked at.
CREATE INDEX audit_records_by_named_user ON audit_records ((details ->> 'user')) WHERE details ? 'user';
DROP INDEX audit_records_by_user;

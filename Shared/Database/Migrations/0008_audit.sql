-- Who did what: written in the transaction that does it, never changed but to take an erased member's
-- name out.
CREATE TABLE audit_records (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    created_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,                                       -- a token's sub, or who acts unasked
    is_admin boolean NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    details jsonb NOT NULL,
    request_id text
);
CREATE INDEX audit_records_by_actor ON audit_records (tenant_id, actor, id);
CREATE INDEX audit_records_by_age ON audit_records (created_at);
CREATE INDEX audit_records_by_user ON audit_records ((details ->> 'user')) WHERE action = 'uploads.viewed';

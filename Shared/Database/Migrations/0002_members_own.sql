-- Repeating, limits and erasure of what members own.

-- Where what a request made cannot say its answer again.
ALTER TABLE idempotency_keys ADD COLUMN answer jsonb;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Uploads on their way. A row is the right to land: erasing a member takes it away.
CREATE TABLE upload_reservations (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    id uuid NOT NULL,
    user_id text NOT NULL CHECK (user_id <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,                           -- from then on it is not counted
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX upload_reservations_by_user ON upload_reservations (tenant_id, user_id);

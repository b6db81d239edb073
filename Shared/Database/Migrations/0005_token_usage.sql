-- What answers have taken of the model, by member and day (UTC). It stays when a conversation goes.
CREATE TABLE token_usage (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    user_id text NOT NULL CHECK (user_id <> ''),
    day date NOT NULL,
    prompt_token_count bigint NOT NULL DEFAULT 0,
    completion_token_count bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, user_id, day)
);

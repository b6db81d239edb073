-- What members think of replies, and replies that are made anew.

CREATE TABLE message_feedback (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    message_id uuid NOT NULL,
    rating smallint NOT NULL CHECK (rating IN (-1, 1)),
    comment text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, message_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES messages (tenant_id, id) ON DELETE CASCADE
);

-- The reply that goes as soon as this one is complete.
ALTER TABLE messages ADD COLUMN replaces uuid;

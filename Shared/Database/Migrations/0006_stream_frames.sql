-- The events of answers as the bytes that viewers get, so that any replica can go on with a stream.
-- While an answer is being made, one row for each time its replica wrote what was new; from its end on a
-- single row with all of them, for as long as a client may come back.
CREATE TABLE stream_frames (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    message_id uuid NOT NULL,
    first_id bigint NOT NULL CHECK (first_id > 0),
    last_id bigint NOT NULL,
    frames text NOT NULL,
    is_final boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, message_id, first_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES messages (tenant_id, id) ON DELETE CASCADE,
    CHECK (last_id >= first_id)
);
CREATE INDEX stream_frames_by_age ON stream_frames (created_at);

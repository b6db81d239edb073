-- A source may be several neighbouring chunks that were joined: the first one and how many.
ALTER TABLE message_sources ADD COLUMN chunk_count int NOT NULL DEFAULT 1 CHECK (chunk_count > 0);

-- The sentence of the answer that a marker stands for.
ALTER TABLE message_citations ADD COLUMN sentence text NOT NULL DEFAULT '';

-- What was said in a conversation before the turns that still fit into a prompt: how far it reaches, and
-- the replies it was made from.
CREATE TABLE conversation_summaries (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    conversation_id uuid NOT NULL,
    text text NOT NULL,
    through_sequence bigint NOT NULL,
    drawn_from uuid[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, conversation_id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX conversation_summaries_by_reply ON conversation_summaries USING gin (drawn_from);

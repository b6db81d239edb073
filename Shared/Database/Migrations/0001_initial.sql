-- Everything of ours lives in this schema: the database may hold the tables of the service we replace.
-- tenant_id stands in every key; there is one tenant, the zero UUID, until there are several.

-- Documents: what can be retrieved from. An upload's document has the attachment's id.
CREATE TABLE documents (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('upload', 'training')),
    owner_user_id text CHECK (owner_user_id <> ''),            -- null: everybody's
    title text NOT NULL,
    -- The tombstone. From its commit on nothing may retrieve, show or quote the document.
    deleted_at timestamptz,
    -- An upsert that began under a lease before the tombstone may land until then; erasure waits for it.
    erasable_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CHECK (kind = 'upload' OR owner_user_id IS NULL)
);
CREATE INDEX documents_by_owner ON documents (tenant_id, owner_user_id) WHERE deleted_at IS NULL;
CREATE INDEX documents_deleted ON documents (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE attachments (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    id uuid NOT NULL,
    sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    owner_user_id text CHECK (owner_user_id <> ''),
    filename text NOT NULL,
    content_type text NOT NULL,
    byte_count bigint NOT NULL CHECK (byte_count > 0),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    storage_key text NOT NULL UNIQUE,
    status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'processing', 'indexed', 'stored', 'failed')),
    error_code text,
    error_message text,
    caption text,
    page_count int CHECK (page_count > 0),
    chunk_count int NOT NULL DEFAULT 0 CHECK (chunk_count >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, id) REFERENCES documents (tenant_id, id) ON DELETE CASCADE,
    CHECK ((status = 'failed') = (error_code IS NOT NULL)),
    CHECK ((error_code IS NULL) = (error_message IS NULL))
);
CREATE INDEX attachments_by_owner ON attachments (tenant_id, owner_user_id, sequence DESC);

-- Revisions are immutable contents; chunks are their pieces, alike in every generation.
CREATE TABLE revisions (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    id uuid NOT NULL,                                          -- UUIDv5(document, content hash, chunking version)
    document_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    chunking_version text NOT NULL,
    text text NOT NULL,                                        -- extracted; chunk spans point into it
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, document_id, content_hash, chunking_version),
    FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE chunks (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    id uuid NOT NULL,                                          -- UUIDv5(revision, ordinal), also the point's id
    revision_id uuid NOT NULL,
    document_id uuid NOT NULL,
    ordinal int NOT NULL CHECK (ordinal >= 0),
    text text NOT NULL CHECK (text <> ''),
    page int CHECK (page > 0),
    span_start int NOT NULL CHECK (span_start >= 0),           -- in Unicode scalars of revisions.text
    span_end int NOT NULL CHECK (span_end > span_start),
    boxes jsonb,                                               -- per line, where the format has a place on a page
    heading_path text[] NOT NULL DEFAULT '{}',
    language text NOT NULL,
    text_hash bytea NOT NULL,                                  -- SHA-256 of the embedded text
    search tsvector NOT NULL,                                  -- for the time the vector engine is away
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, revision_id, ordinal),
    FOREIGN KEY (tenant_id, revision_id) REFERENCES revisions (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX chunks_search ON chunks USING gin (search);
CREATE INDEX chunks_by_document ON chunks (tenant_id, document_id);
CREATE INDEX chunks_by_text_hash ON chunks (tenant_id, text_hash);

-- The same owner's text is never embedded twice. '' is everybody's.
CREATE TABLE embeddings (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    owner_key text NOT NULL,
    model_fingerprint text NOT NULL,
    text_hash bytea NOT NULL,
    vector real[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, owner_key, model_fingerprint, text_hash)
);

-- An index generation is one physical collection; all tenants share it.
CREATE TABLE generations (
    number int PRIMARY KEY CHECK (number > 0),
    state text NOT NULL CHECK (state IN ('building', 'live', 'retired', 'dropped')),
    collection text NOT NULL UNIQUE,
    description jsonb NOT NULL,                                -- IndexDescription
    fingerprint text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    activated_at timestamptz,
    retired_at timestamptz
);
CREATE UNIQUE INDEX generations_one_live ON generations ((true)) WHERE state = 'live';
CREATE UNIQUE INDEX generations_one_building ON generations ((true)) WHERE state = 'building';

-- The only statement of what is visible.
CREATE TABLE indexed_documents (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    document_id uuid NOT NULL,
    generation int NOT NULL REFERENCES generations (number),
    revision_id uuid NOT NULL,
    indexed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, document_id, generation),
    FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, revision_id) REFERENCES revisions (tenant_id, id)
);
CREATE INDEX indexed_documents_by_revision ON indexed_documents (tenant_id, revision_id);

-- Training materials: the pages shown now, and the runs that change them.
CREATE TABLE training_syncs (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    id uuid NOT NULL,
    repository_url text NOT NULL,
    target text NOT NULL,
    previous_commit text,
    commit text NOT NULL,
    state text NOT NULL DEFAULT 'indexing' CHECK (state IN ('indexing', 'done', 'failed')),
    indexed_count int NOT NULL DEFAULT 0,
    skipped_count int NOT NULL DEFAULT 0,
    removed_count int NOT NULL DEFAULT 0,
    failed_count int NOT NULL DEFAULT 0,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX training_syncs_one_at_a_time ON training_syncs (tenant_id) WHERE state = 'indexing';

CREATE TABLE training_pages (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    document_id uuid NOT NULL,
    path text NOT NULL,                                        -- in the repository
    url text NOT NULL,
    repository_url text NOT NULL,                              -- without credentials
    commit text NOT NULL,
    content text NOT NULL,                                     -- the Markdown, so that re-indexing needs no git
    content_hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, document_id),
    UNIQUE (tenant_id, path),
    FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id) ON DELETE CASCADE
);

-- What a running sync will change. Rows go when the sync is done.
CREATE TABLE training_sync_pages (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    sync_id uuid NOT NULL,
    document_id uuid NOT NULL,
    path text NOT NULL,
    url text NOT NULL,
    title text NOT NULL,
    content text NOT NULL,
    content_hash bytea NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'failed', 'removed')),
    revision_id uuid,                                          -- not to be swept while it waits here
    generations bigint[] NOT NULL DEFAULT '{}',                   -- those its points are in
    PRIMARY KEY (tenant_id, sync_id, document_id),
    FOREIGN KEY (tenant_id, sync_id) REFERENCES training_syncs (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, revision_id) REFERENCES revisions (tenant_id, id),
    CHECK ((state = 'ready') = (revision_id IS NOT NULL))
);

-- Conversations and messages. Messages keep references to chunks, never their text.
CREATE TABLE conversations (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    id uuid NOT NULL,
    user_id text NOT NULL CHECK (user_id <> ''),
    title text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_message_at timestamptz NOT NULL DEFAULT now(),
    last_sequence bigint NOT NULL DEFAULT 0,                   -- messages.sequence of the newest: the listing's order
    message_count int NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX conversations_by_user ON conversations (tenant_id, user_id, last_sequence DESC, id);

CREATE TABLE messages (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    id uuid NOT NULL,
    sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    conversation_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('user', 'assistant')),
    content text NOT NULL,
    status text NOT NULL CHECK (status IN ('generating', 'complete', 'incomplete', 'cancelled')),
    finish_reason text CHECK (finish_reason IN ('stop', 'length', 'cancelled', 'error')),
    prompt_token_count int,
    completion_token_count int,
    -- While generating: who makes it, until when it counts as alive, and the fencing number.
    replica text,
    lease_expires_at timestamptz,
    attempt int NOT NULL DEFAULT 0,
    cancel_requested boolean NOT NULL DEFAULT false,
    -- False where the question asked for no citations: sources are kept for what follows, not shown.
    shows_sources boolean NOT NULL DEFAULT true,
    -- The earlier replies its prompt held, and theirs: what they drew on, this one may repeat.
    drawn_from uuid[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE,
    CHECK ((status = 'generating') = (lease_expires_at IS NOT NULL))
);
CREATE INDEX messages_by_conversation ON messages (tenant_id, conversation_id, sequence DESC);
CREATE INDEX messages_generating ON messages (lease_expires_at) WHERE status = 'generating';

CREATE TABLE message_attachments (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    message_id uuid NOT NULL,
    attachment_id uuid NOT NULL,
    ordinal int NOT NULL,
    PRIMARY KEY (tenant_id, message_id, attachment_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES messages (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX message_attachments_by_attachment ON message_attachments (tenant_id, attachment_id);

-- No foreign key to chunks: what is gone reads {"removed": true}.
CREATE TABLE message_sources (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    message_id uuid NOT NULL,
    source_index int NOT NULL CHECK (source_index >= 0),
    chunk_id uuid NOT NULL,
    document_id uuid NOT NULL,
    score double precision NOT NULL,
    PRIMARY KEY (tenant_id, message_id, source_index),
    FOREIGN KEY (tenant_id, message_id) REFERENCES messages (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX message_sources_by_document ON message_sources (tenant_id, document_id);
CREATE INDEX message_sources_by_chunk ON message_sources (tenant_id, chunk_id);

CREATE TABLE message_citations (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    message_id uuid NOT NULL,
    ordinal int NOT NULL,
    marker text NOT NULL,
    source_index int NOT NULL,
    quote_start int,                                           -- in Unicode scalars of chunks.text
    quote_end int,
    verified boolean NOT NULL,
    PRIMARY KEY (tenant_id, message_id, ordinal),
    FOREIGN KEY (tenant_id, message_id, source_index)
        REFERENCES message_sources (tenant_id, message_id, source_index) ON DELETE CASCADE,
    CHECK ((quote_start IS NULL) = (quote_end IS NULL) AND quote_end > quote_start)
);

-- Chat replicas say which generation they ask; a collection is dropped only when none asks it.
CREATE TABLE chat_replicas (
    id text PRIMARY KEY,
    generation int NOT NULL,
    reload_sequence bigint NOT NULL DEFAULT 0,                 -- the last reload request it has carried out
    heartbeat_at timestamptz NOT NULL DEFAULT now()
);
CREATE SEQUENCE reload_requests;

-- Jobs. One query claims both what is due and what a dead worker left: claimable_at is the time
-- to run while ready, and the lease's end while running.
CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    subject text NOT NULL,                                     -- the document or generation it is about
    owner_key text NOT NULL DEFAULT '',                        -- whose turn it uses up
    state text NOT NULL DEFAULT 'ready'
        CHECK (state IN ('ready', 'running', 'done', 'dead', 'cancelled')),
    priority smallint NOT NULL CHECK (priority >= 0),
    tag bigint NOT NULL,                                       -- virtual time: the order between owners
    cost int NOT NULL DEFAULT 1 CHECK (cost > 0),
    attempt int NOT NULL DEFAULT 0,                            -- the fencing number: rises at every claim
    failure_count int NOT NULL DEFAULT 0,                      -- snoozes do not count
    claimable_at timestamptz NOT NULL DEFAULT now(),
    worker text,
    reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX jobs_claim ON jobs (priority, tag, id) WHERE state IN ('ready', 'running');
CREATE INDEX jobs_due ON jobs (claimable_at) WHERE state IN ('ready', 'running');
CREATE INDEX jobs_by_owner ON jobs (owner_key, tag) WHERE state IN ('ready', 'running');
CREATE INDEX jobs_by_subject ON jobs (subject, id);
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE state IN ('done', 'cancelled');

-- Virtual time of the queue (fair queueing by tags): the furthest tag that was claimed. An owner's own
-- time is the furthest tag among the jobs it has waiting.
CREATE TABLE job_clocks (
    name text PRIMARY KEY,
    tag bigint NOT NULL
);
INSERT INTO job_clocks (name, tag) VALUES ('queue', 0);

-- Idempotency-Key: the first answer, for a day.
CREATE TABLE idempotency_keys (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    user_id text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    subject_id uuid NOT NULL,                                  -- what the first request made
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id, route, key)
);

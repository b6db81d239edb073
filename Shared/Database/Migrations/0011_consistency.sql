-- Comparisons of Postgres, the vector engine and object storage: how far one is, and what it found.
CREATE TABLE consistency_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
    repairs boolean NOT NULL,
    job_id bigint,                                             -- whoever holds it carries the run out
    report jsonb NOT NULL,                                     -- ConsistencyReport
    failure_code text,
    failure_message text,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((state = 'running') = (finished_at IS NULL)),
    CHECK ((state = 'failed') = (failure_code IS NOT NULL)),
    CHECK ((failure_code IS NULL) = (failure_message IS NULL))
);
CREATE UNIQUE INDEX consistency_runs_one_at_a_time ON consistency_runs (tenant_id) WHERE state = 'running';

-- In the order of the storage's own listing, whatever the database's language.
CREATE INDEX attachments_by_storage_key ON attachments (storage_key COLLATE "C");

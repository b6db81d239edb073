-- How far a job is, who works, and what recognition has read so far.

-- The furthest that any attempt came, from 0 to 1, and when somebody last said so.
ALTER TABLE jobs ADD COLUMN progress real NOT NULL DEFAULT 0 CHECK (progress >= 0 AND progress <= 1);
ALTER TABLE jobs ADD COLUMN progressed_at timestamptz;

-- Worker processes say that they are there, so that waiting for a turn and waiting for nobody differ.
CREATE TABLE job_workers (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    kinds text[] NOT NULL,                                     -- of job that it knows
    heartbeat_at timestamptz NOT NULL DEFAULT now()
);

-- Pages read by recognition, until the document has a revision: work cut short goes on after them.
CREATE TABLE recognised_pages (
    tenant_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    document_id uuid NOT NULL,
    page int NOT NULL CHECK (page > 0),
    layout bytea NOT NULL,
    PRIMARY KEY (tenant_id, document_id, page),
    FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id) ON DELETE CASCADE
);

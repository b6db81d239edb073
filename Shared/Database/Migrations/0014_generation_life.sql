-- What was found before a generation is swapped in, why it is not, and how it ends: `dropping_at` marks one that
-- nothing is written to and that cannot be activated any more, until its collection is gone.
ALTER TABLE generations
    ADD COLUMN checked jsonb,                                  -- GenerationCheck
    ADD COLUMN blocked_by text[] NOT NULL DEFAULT '{}',        -- GenerationBlocker
    ADD COLUMN forced_at timestamptz,                          -- an operator wants it whatever blocks it
    ADD COLUMN dropping_at timestamptz,
    ADD COLUMN dropped_at timestamptz;

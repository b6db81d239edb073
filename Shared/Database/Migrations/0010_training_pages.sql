-- What a page's front matter says besides title and address, and why pages of a sync failed.
ALTER TABLE training_pages ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
ALTER TABLE training_sync_pages ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
ALTER TABLE training_sync_pages ADD COLUMN reason text;
-- [{"path", "reason"}] of the pages that could not be indexed: their rows go when the sync is done.
ALTER TABLE training_syncs ADD COLUMN failures jsonb NOT NULL DEFAULT '[]';

-- What operators see of jobs, and how they end one.

-- When the last attempt began, and the first.
ALTER TABLE jobs ADD COLUMN started_at timestamptz;
ALTER TABLE jobs ADD COLUMN first_started_at timestamptz;
-- The last attempts that did not complete the job, oldest first.
ALTER TABLE jobs ADD COLUMN attempts jsonb NOT NULL DEFAULT '[]';
-- Of an open job: from here on it is only to be ended, by whoever holds it or claims it next.
ALTER TABLE jobs ADD COLUMN cancelled_at timestamptz;
CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';

-- A job's attempts with the one that ends now. There are 20 at most; snoozes in a row are one.
CREATE FUNCTION with_attempt(job jobs, outcome text, reason text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN outcome = 'snoozed' AND job.attempts -> -1 ->> 'outcome' = 'snoozed' THEN
            jsonb_set(job.attempts, '{-1}', job.attempts -> -1 || jsonb_build_object(
                'attempt', job.attempt, 'worker', job.worker,
                'ended_at', extract(epoch FROM now())::float8,
                'count', (job.attempts -> -1 ->> 'count')::int + 1))
        ELSE
            CASE WHEN jsonb_array_length(job.attempts) < 20 THEN job.attempts ELSE job.attempts - 0 END
            || jsonb_build_object(
                'attempt', job.attempt, 'worker', job.worker,
                'started_at', extract(epoch FROM job.started_at)::float8,
                'ended_at', extract(epoch FROM now())::float8,
                'outcome', outcome, 'reason', left(reason, 500), 'count', 1)
        END
$$;

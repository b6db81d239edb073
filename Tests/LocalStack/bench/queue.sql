-- One job of pgbench's: what JobQueue.enqueue, Claims.claim and ClaimedJob.complete send, which a test
-- compares with these. The casts say what our driver says by a parameter's type.
BEGIN;
INSERT INTO jobs (kind, payload, subject, owner_key, priority, cost, tag)
SELECT :kind::text, :payload::jsonb, :client_id::text, :client_id::text, :priority::smallint, :cost::int,
       greatest(
           (SELECT tag FROM job_clocks WHERE name = 'queue'),
           (SELECT max(tag) FROM jobs
            WHERE owner_key = :client_id::text AND state IN ('ready', 'running'))) + :cost::int
RETURNING id;
SELECT pg_notify(:channel::text, :kind::text);
COMMIT;
WITH claimed AS (
    UPDATE jobs SET
        state = 'running', attempt = attempt + 1, worker = :worker::text,
        progressed_at = now(), started_at = now(),
        first_started_at = coalesce(first_started_at, now()),
        attempts = CASE state
            WHEN 'running' THEN with_attempt(jobs, 'lost', NULL)
            ELSE attempts END,
        failure_count = failure_count
            + CASE state WHEN 'running' THEN 1 ELSE 0 END,
        claimable_at = now()
            + make_interval(secs => :lease_seconds::double precision)
    WHERE id = (
        SELECT id FROM jobs
        WHERE state IN ('ready', 'running') AND kind = ANY(:kinds::text[])
          AND claimable_at <= now()
              - make_interval(secs => :wait_seconds::double precision)
        ORDER BY priority, tag, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, payload, subject, owner_key, attempt, failure_count,
        created_at, tag, cancelled_at IS NOT NULL AS is_cancelled
), clock AS (
    UPDATE job_clocks SET tag = claimed.tag FROM claimed
    WHERE name = 'queue' AND job_clocks.tag < claimed.tag
)
SELECT * FROM claimed \gset
BEGIN;
UPDATE jobs SET state = 'done', worker = NULL, reason = NULL, finished_at = now()
WHERE id = :id::bigint AND attempt = :attempt::int AND state = 'running' RETURNING id;
COMMIT;

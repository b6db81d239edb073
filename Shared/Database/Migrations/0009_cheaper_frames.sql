-- Every tenth of a second each replica adds a row for each of its streams. A foreign key looks up the
-- message once a row, with a plan that may be as old as the connection; the message is locked by then
-- anyway. An index by age gets an entry once a row, for a search once in minutes.
ALTER TABLE stream_frames DROP CONSTRAINT stream_frames_tenant_id_message_id_fkey;
DROP INDEX stream_frames_by_age;
CREATE INDEX stream_frames_by_age ON stream_frames USING brin (created_at);

-- In place of the foreign key: frames go with their messages. Whoever adds some holds a lock on the
-- message that a deletion waits for.
CREATE FUNCTION delete_frames() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM stream_frames f USING gone
    WHERE f.tenant_id = gone.tenant_id AND f.message_id = gone.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER delete_frames AFTER DELETE ON messages
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION delete_frames();

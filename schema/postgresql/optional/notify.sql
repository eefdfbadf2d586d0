-- Optional, with database.notify: true. Tells the sidecar at once that messages were inserted, so that it need not poll
-- often: apply it with psql, as the owner of the table. The channel is the table's name.
-- Transactions that notify are committed one after the other, in the whole server: leave it out where thousands a second
-- insert messages.
CREATE OR REPLACE FUNCTION "msg_log_notify"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify(TG_TABLE_NAME, '');
  RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS "msg_log_notify" ON "msg_log";
CREATE TRIGGER "msg_log_notify" AFTER INSERT ON "msg_log" FOR EACH STATEMENT EXECUTE FUNCTION "msg_log_notify"();

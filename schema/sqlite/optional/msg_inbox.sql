-- The inbox of consumers: which messages each has already dealt with, so that a second copy changes nothing.
-- It belongs into the database that the consumer writes to, often another one than the outbox's, and so it is no
-- migration of outbox-sidecar, which never looks at it: apply it by hand, once per consuming database.
--
-- For each message, a consumer runs in one transaction, begun with BEGIN IMMEDIATE:
--
--   INSERT INTO msg_inbox (consumer, message_id) VALUES ('shipping', ?) ON CONFLICT DO NOTHING;
--   -- changes() = 1: a new message. Write what it asks for.     0: done before. Write nothing.
--   COMMIT;
--
-- and only after the COMMIT acknowledges the message to the broker. Then, between COMMIT and acknowledgement and also
-- for a message that was done before, comes the receipt, in a transaction of its own as msg_log may lie elsewhere:
--
--   UPDATE msg_log SET status = 3 WHERE id = ? AND status IN (0, 1);
--
-- Entries may go when no copy can come any more. What can still send one bounds it: the retention of delivered rows of
-- msg_log, the longest stay in a queue or a dead-letter queue, and how far back somebody would send again by hand.
-- Run this until it deletes no row:
--
--   DELETE FROM msg_inbox WHERE rowid IN (SELECT rowid FROM msg_inbox
--     WHERE create_time < (unixepoch() - 30 * 86400) * 1000 LIMIT 1000);
CREATE TABLE IF NOT EXISTS "msg_inbox" (
  "consumer"    varchar(100) NOT NULL CHECK (typeof("consumer") = 'text'),    -- who has dealt with it
  "message_id"  varchar(255) NOT NULL CHECK (typeof("message_id") = 'text'),  -- of AMQP; msg_log.id
  "create_time" bigint NOT NULL DEFAULT (CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)),
  PRIMARY KEY ("consumer", "message_id")
);
CREATE INDEX IF NOT EXISTS "msg_inbox_purge" ON "msg_inbox" ("create_time");

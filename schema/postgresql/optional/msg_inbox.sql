-- ASCII only: a database of another encoding would refuse the rest, also in comments.
-- The inbox of consumers: which messages each has already dealt with, so that a second copy changes nothing.
-- It belongs into the database that the consumer writes to, often another one than the outbox's, and so it is no
-- migration of outbox-sidecar, which never looks at it: apply it by hand, once per consuming database.
--
-- For each message, a consumer runs in one transaction:
--
--   INSERT INTO msg_inbox (consumer, message_id) VALUES ('shipping', $1) ON CONFLICT DO NOTHING;
--   -- one row inserted: a new message. Write what it asks for.     No row inserted: done before. Write nothing.
--   COMMIT;
--
-- and only after the COMMIT acknowledges the message to the broker. Two copies at the same time are safe: the second
-- INSERT waits for the first transaction, and goes ahead only if that one rolled back. (Under REPEATABLE READ it fails
-- instead: run the transaction again.)
--
-- Then, between COMMIT and acknowledgement and also for a message that was done before, comes the receipt, in a
-- transaction of its own as msg_log may lie elsewhere:
--
--   UPDATE msg_log SET status = 3 WHERE id = $1 AND status IN (0, 1);
--
-- Entries may go when no copy can come any more. What can still send one bounds it: the retention of delivered rows of
-- msg_log, the longest stay in a queue or a dead-letter queue, and how far back somebody would send again by hand.
-- Run this until it deletes no row:
--
--   DELETE FROM msg_inbox WHERE ctid = ANY (ARRAY(SELECT ctid FROM msg_inbox
--     WHERE create_time < (extract(epoch FROM now() - interval '30 days') * 1000)::bigint LIMIT 1000));
--
-- Rights: INSERT, SELECT and DELETE here; SELECT (id, status) and UPDATE (status) on msg_log for the receipt.
CREATE TABLE IF NOT EXISTS msg_inbox (
  consumer    varchar(100) COLLATE "C" NOT NULL, -- who has dealt with it
  message_id  varchar(255) COLLATE "C" NOT NULL, -- of AMQP; msg_log.id
  create_time bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  PRIMARY KEY (consumer, message_id)
);
CREATE INDEX IF NOT EXISTS msg_inbox_purge ON msg_inbox (create_time);

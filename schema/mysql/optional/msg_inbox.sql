-- The inbox of consumers: which messages each has already dealt with, so that a second copy changes nothing.
-- It belongs into the database that the consumer writes to, often another one than the outbox's, and so it is no
-- migration of outbox-sidecar, which never looks at it: apply it by hand, once per consuming database.
--
-- For each message, a consumer runs in one transaction:
--
--   INSERT IGNORE INTO msg_inbox (consumer, message_id) VALUES ('shipping', ?);
--   -- one row changed: a new message. Write what it asks for.      No row changed: done before. Write nothing.
--   COMMIT;
--
-- and only after the COMMIT acknowledges the message to the broker. Two copies at the same time are safe: the second
-- INSERT waits for the first transaction, and goes ahead only if that one rolled back. A message without a message_id
-- is to be refused before: IGNORE would make NULL an empty text, and so all such messages copies of each other.
--
-- Then, between COMMIT and acknowledgement and also for a message that was done before, comes the receipt, in a
-- transaction of its own as msg_log may lie elsewhere:
--
--   UPDATE msg_log SET status = 3 WHERE id = ? AND status IN (0, 1);
--
-- Entries may go when no copy can come any more. What can still send one bounds it: the retention of delivered rows of
-- msg_log, the longest stay in a queue or a dead-letter queue, and how far back somebody would send again by hand.
-- Run this until it changes no row:
--
--   DELETE FROM msg_inbox WHERE create_time < (UNIX_TIMESTAMP() - 30 * 86400) * 1000 ORDER BY create_time LIMIT 1000;
--
-- Rights: INSERT, SELECT and DELETE here; SELECT (id, status) and UPDATE (status) on msg_log for the receipt.
CREATE TABLE IF NOT EXISTS `msg_inbox` (
  `consumer`    varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'who has dealt with it',
  `message_id`  varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'of AMQP; msg_log.id',
  `create_time` bigint NOT NULL DEFAULT (TIMESTAMPDIFF(MICROSECOND, DATE'1970-01-01', UTC_TIMESTAMP(3)) DIV 1000),
  PRIMARY KEY (`consumer`, `message_id`),
  KEY `msg_inbox_purge` (`create_time`)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 ROW_FORMAT = DYNAMIC;

-- Which failures of the ledger sys_mq_fail the webhook has told, and which it is to tell: one table for all outboxes of
-- this file. Only sidecars with a webhook write it. What is older than the latest few minutes is cleared away.
CREATE TABLE IF NOT EXISTS "sys_mq_notice" (
  "table_name"    varchar(150) NOT NULL,  -- the outbox that tells it
  "entry"         bigint NOT NULL,  -- sys_mq_fail.id
  "state"         smallint NOT NULL,  -- 0 to be told, 1 told, 2 given up, 3 not to be told
  "tries"         int NOT NULL,  -- POSTs that failed
  "next_try_time" bigint NOT NULL,  -- not before; milliseconds since the epoch
  "seen_time"     bigint NOT NULL,  -- when the entry was found; likewise
  "last_error"    varchar(255) NULL,  -- why the last POST failed
  PRIMARY KEY ("table_name", "entry")
);
CREATE INDEX IF NOT EXISTS "sys_mq_notice_due" ON "sys_mq_notice" ("table_name", "state", "next_try_time", "entry");

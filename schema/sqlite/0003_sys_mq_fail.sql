-- The ledger of failures: one row for each message that failed for good, filed in the transaction that gives it up.
-- A table of that name which is there already is used as it is, as far as its columns and their widths go.
CREATE TABLE IF NOT EXISTS "sys_mq_fail" (
  "id"                  integer PRIMARY KEY AUTOINCREMENT NOT NULL,
  "custom_message_id"   varchar(255) NULL,  -- msg_log.id
  "tags"                varchar(255) NULL,  -- the routing key
  "topic"               varchar(255) NOT NULL,  -- the exchange
  "message_id"          varchar(255) NULL,  -- msg_log.id
  "message_key"         varchar(255) NULL,  -- the order_key
  "message_create_time" datetime NULL,  -- UTC
  "headers"             text NULL,  -- JSON
  "payload"             blob NULL,
  "ex_content"          blob NULL,  -- why it failed
  "fail_flag"           smallint NOT NULL,  -- 0 producer, 1 consumer
  "retry"               smallint NOT NULL,  -- how often it was retried by hand
  "last_retry_status"   smallint NOT NULL,  -- 1 the last retry by hand was done
  "source"              varchar(64) NULL,  -- the outbox table it was in
  "properties"          text NULL,  -- JSON
  "create_time"         bigint NULL,  -- when it was filed; milliseconds since the epoch
  "retry_time"          bigint NULL  -- when it was last retried by hand; likewise
);

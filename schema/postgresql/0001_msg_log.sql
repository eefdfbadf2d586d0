-- ASCII only: a database of another encoding would refuse the rest, also in comments.
-- The outbox. Applications insert; outbox-sidecar relays and settles. See the README for what each column means.
-- Times are milliseconds since the epoch by the clock, not of the transaction's start: a message of a long transaction
-- does not look old when it appears, and those of one statement keep their order.
CREATE TABLE IF NOT EXISTS "msg_log" (
  id            varchar(255) COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
  msg           text NOT NULL,
  exchange      varchar(255) NOT NULL DEFAULT '',
  routing_key   varchar(255) NOT NULL DEFAULT '',
  status        int NOT NULL DEFAULT 0, -- 0 delivering, 1 delivered, 2 failed, 3 consumed
  try_count     int NOT NULL DEFAULT 0,
  next_try_time bigint NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  create_time   bigint NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  update_time   bigint NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  headers       jsonb NULL, -- an object: AMQP headers
  properties    jsonb NULL, -- an object: content_type, priority, expiration and the like
  order_key     varchar(255) COLLATE "C" NULL,
  last_error    varchar(1000) NULL, -- why the last attempt failed
  PRIMARY KEY (id)
) WITH (
  -- Every message leaves a dead row behind, so vacuum by the hundredth part, not by the fifth. No fillfactor: every
  -- update changes an indexed column, so none could stay in its page's chain.
  autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
  autovacuum_analyze_scale_factor = 0.01, autovacuum_analyze_threshold = 5000
);

-- To be made on a large table that is in use, with CONCURRENTLY and these names, before migrating: or nobody can write
-- meanwhile. In the first there is only what waits, in the order in which it is read: settling a message takes it
-- out and puts nothing in.
CREATE INDEX IF NOT EXISTS "msg_log_due" ON "msg_log" (next_try_time, id) WHERE status = 0;
CREATE INDEX IF NOT EXISTS "msg_log_purge" ON "msg_log" (status, update_time);

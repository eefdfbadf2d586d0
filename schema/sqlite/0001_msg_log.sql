-- The outbox. Applications insert; outbox-sidecar relays and settles. See the README for what each column means.
-- Times are milliseconds since the epoch. Not STRICT, as older libraries, which an application may bring along, could
-- not even open the file then; the checks keep out what SQLite would otherwise store in silence and nobody would ever
-- find due. Bodies may be text or bytes. The indexes end in id, which is the order of rows of one time.
CREATE TABLE IF NOT EXISTS "msg_log" (
  "id"            varchar(255) NOT NULL DEFAULT (lower(
                    hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||
                    substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' ||
                    hex(randomblob(6)))) CHECK (typeof("id") = 'text'),
  "msg"           text NOT NULL,
  "exchange"      varchar(255) NOT NULL DEFAULT '',
  "routing_key"   varchar(255) NOT NULL DEFAULT '',
  "status"        int NOT NULL DEFAULT 0 CHECK (typeof("status") = 'integer'),  -- 0 delivering, 1 delivered, 2 failed, 3 consumed
  "try_count"     int NOT NULL DEFAULT 0 CHECK (typeof("try_count") = 'integer'),
  "next_try_time" bigint NULL DEFAULT (CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER))
                  CHECK (typeof("next_try_time") IN ('integer', 'null')),
  "create_time"   bigint NULL DEFAULT (CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)),
  "update_time"   bigint NULL DEFAULT (CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)),
  "headers"       text NULL,  -- JSON, an object: AMQP headers
  "properties"    text NULL,  -- JSON, an object: content_type, priority, expiration …
  "order_key"     varchar(255) NULL,
  "last_error"    varchar(1000) NULL,  -- why the last attempt failed
  PRIMARY KEY ("id")
);
CREATE INDEX IF NOT EXISTS "msg_log_due" ON "msg_log" ("status", "next_try_time", "id");
CREATE INDEX IF NOT EXISTS "msg_log_purge" ON "msg_log" ("status", "update_time", "id");

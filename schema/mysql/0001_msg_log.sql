-- The outbox. Applications insert; outbox-sidecar relays and settles. See the README for what each column means.
-- Times are milliseconds since the epoch, taken in UTC, so that no session's time zone can shift them; from a date, not
-- from a text, which MySQL would keep in the charset of whoever created the table.
CREATE TABLE IF NOT EXISTS `msg_log` (
  `id`            varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT (UUID()),
  `msg`           longtext NOT NULL,
  `exchange`      varchar(255) NOT NULL DEFAULT '',
  `routing_key`   varchar(255) NOT NULL DEFAULT '',
  `status`        int NOT NULL DEFAULT 0 COMMENT '0 delivering, 1 delivered, 2 failed, 3 consumed',
  `try_count`     int NOT NULL DEFAULT 0,
  `next_try_time` bigint NULL DEFAULT (TIMESTAMPDIFF(MICROSECOND, DATE'1970-01-01', UTC_TIMESTAMP(3)) DIV 1000),
  `create_time`   bigint NULL DEFAULT (TIMESTAMPDIFF(MICROSECOND, DATE'1970-01-01', UTC_TIMESTAMP(3)) DIV 1000),
  `update_time`   bigint NULL DEFAULT (TIMESTAMPDIFF(MICROSECOND, DATE'1970-01-01', UTC_TIMESTAMP(3)) DIV 1000),
  `headers`       json NULL COMMENT 'an object: AMQP headers',
  `properties`    json NULL COMMENT 'an object: content_type, priority, expiration …',
  `order_key`     varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  `last_error`    varchar(1000) NULL COMMENT 'why the last attempt failed',
  PRIMARY KEY (`id`),
  KEY `msg_log_due` (`status`, `next_try_time`),
  KEY `msg_log_purge` (`status`, `update_time`)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 ROW_FORMAT = DYNAMIC;

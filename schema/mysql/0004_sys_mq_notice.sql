-- Which failures of the ledger sys_mq_fail the webhook has told, and which it is to tell: one table for all outboxes of
-- this database. Only sidecars with a webhook write it. What is older than the latest few minutes is cleared away.
CREATE TABLE IF NOT EXISTS `sys_mq_notice` (
  `table_name`    varchar(150) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'the outbox that tells it',
  `entry`         bigint NOT NULL COMMENT 'sys_mq_fail.id',
  `state`         smallint NOT NULL COMMENT '0 to be told, 1 told, 2 given up, 3 not to be told',
  `tries`         int NOT NULL COMMENT 'POSTs that failed',
  `next_try_time` bigint NOT NULL COMMENT 'not before; milliseconds since the epoch',
  `seen_time`     bigint NOT NULL COMMENT 'when the entry was found; likewise',
  `last_error`    varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'why the last POST failed',
  PRIMARY KEY (`table_name`, `entry`),
  KEY `idx_due` (`table_name`, `state`, `next_try_time`, `entry`)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 ROW_FORMAT = DYNAMIC;

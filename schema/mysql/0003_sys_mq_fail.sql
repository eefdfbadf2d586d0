-- The ledger of failures: one row for each message that failed for good, filed in the transaction that gives it up.
-- A table of that name which is there already is used as it is, as far as its columns and their widths go.
CREATE TABLE IF NOT EXISTS `sys_mq_fail` (
  `id`                  bigint NOT NULL AUTO_INCREMENT,
  `custom_message_id`   varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'msg_log.id',
  `tags`                varchar(255) NULL COMMENT 'the routing key',
  `topic`               varchar(255) NOT NULL COMMENT 'the exchange',
  `message_id`          varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'msg_log.id',
  `message_key`         varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'the order_key',
  `message_create_time` datetime NULL COMMENT 'UTC',
  `headers`             json NULL,
  `payload`             longblob NULL,
  `ex_content`          longblob NULL COMMENT 'why it failed',
  `fail_flag`           bit(1) NOT NULL COMMENT '0 producer, 1 consumer',
  `retry`               smallint NOT NULL COMMENT 'how often it was retried by hand',
  `last_retry_status`   bit(1) NOT NULL COMMENT '1 the last retry by hand was done',
  `source`              varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'the outbox table it was in',
  `properties`          json NULL,
  `create_time`         bigint NULL COMMENT 'when it was filed; milliseconds since the epoch',
  `retry_time`          bigint NULL COMMENT 'when it was last retried by hand; likewise',
  PRIMARY KEY (`id`)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 ROW_FORMAT = DYNAMIC;

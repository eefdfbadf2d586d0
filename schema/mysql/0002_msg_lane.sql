-- Who relays which lane of which outbox: one table for all outboxes of this database. The sidecars alone write it.
-- The row of lane -1 stands for no lane: whoever changes the leases of an outbox locks it first.
CREATE TABLE IF NOT EXISTS `msg_lane` (
  `table_name` varchar(150) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `lane`       int NOT NULL,
  `lanes`      int NOT NULL COMMENT 'how many there were when it was taken',
  `owner`      varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `epoch`      bigint NOT NULL DEFAULT 0 COMMENT 'one more each time that the lane changes hands',
  `expires`    bigint NOT NULL DEFAULT 0 COMMENT 'milliseconds since the epoch, by the clock of the database',
  `wanted_by`  varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  PRIMARY KEY (`table_name`, `lane`)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 ROW_FORMAT = DYNAMIC;

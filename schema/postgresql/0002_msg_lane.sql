-- Who relays which lane of which outbox: one table for all outboxes of this schema. The sidecars alone write it.
-- Room is left in each page, so that renewing a lease touches no index.
CREATE TABLE IF NOT EXISTS "msg_lane" (
  table_name varchar(150) COLLATE "C" NOT NULL,
  lane       int NOT NULL,
  lanes      int NOT NULL, -- how many there were when it was taken
  owner      varchar(255) COLLATE "C" NOT NULL DEFAULT '',
  epoch      bigint NOT NULL DEFAULT 0, -- one more each time that the lane changes hands
  expires    bigint NOT NULL DEFAULT 0, -- milliseconds since the epoch, by the clock of the database
  wanted_by  varchar(255) COLLATE "C" NOT NULL DEFAULT '',
  PRIMARY KEY (table_name, lane)
) WITH (fillfactor = 50);

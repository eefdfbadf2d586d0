-- For relay.ordered: true, which is refused without it: finds the first unsettled message of each order_key. Delivered
-- messages are not in it. Every INSERT with an order_key pays for one index more, so it is no migration. Apply it with
-- psql, as the owner of the table and outside a transaction; applications can go on inserting meanwhile. If it fails
-- half-way, drop the index and apply it again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS "msg_log_ordered"
  ON "msg_log" (order_key, status, create_time NULLS FIRST, id) WHERE status IN (0, 2) AND order_key IS NOT NULL;

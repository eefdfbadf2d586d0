-- The tables of the examples' shop. msg_log comes from `outbox-sidecar migrate`, msg_inbox from
-- schema/mysql/optional/msg_inbox.sql.
CREATE TABLE orders (
  id    int PRIMARY KEY,
  total decimal(10, 2) NOT NULL
);

-- The order is on purpose not unique: only the inbox keeps it from being shipped twice.
CREATE TABLE shipments (
  id       int PRIMARY KEY AUTO_INCREMENT,
  order_id int NOT NULL
);

-- Places orders. Each is announced through msg_log, in the transaction that writes the order itself.

-- All that is needed. id, times and the rest have defaults.
START TRANSACTION;
INSERT INTO orders (id, total) VALUES (1, 99.90);
INSERT INTO msg_log (msg, exchange, routing_key) VALUES ('{"order": 1}', 'orders', 'order.created');
COMMIT;

-- Neither the order nor its message will ever have existed.
START TRANSACTION;
INSERT INTO orders (id, total) VALUES (2, 12.50);
INSERT INTO msg_log (msg, exchange, routing_key) VALUES ('{"order": 2}', 'orders', 'order.created');
ROLLBACK;

-- Three seconds from now, by the database's clock.
START TRANSACTION;
INSERT INTO orders (id, total) VALUES (3, 7.00);
INSERT INTO msg_log (msg, exchange, routing_key, next_try_time)
  VALUES ('{"order": 3}', 'orders', 'order.created', (UNIX_TIMESTAMP() + 3) * 1000);
COMMIT;

-- With a header, here that of the span in which the order was placed.
START TRANSACTION;
INSERT INTO orders (id, total) VALUES (4, 45.00);
INSERT INTO msg_log (msg, exchange, routing_key, headers)
  VALUES ('{"order": 4}', 'orders', 'order.created',
          '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}');
COMMIT;

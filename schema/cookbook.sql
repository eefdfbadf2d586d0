-- Recipes for MySQL and MariaDB, safe beside a running sidecar. Pick one, put in your own id, exchange and numbers; don't
-- run the whole file. Each is run by a test.
--
-- What only reads takes no locks. What changes rows names the status that it leaves, so that it can't undo what the
-- sidecar or a consumer has just done, and takes a thousand at most, so that no lock is held for long: repeat it until
-- it says "0 rows". Keep no transaction open around it: a row that you hold locked can't be settled meanwhile.
-- Times are epoch milliseconds; FROM_UNIXTIME(create_time / 1000) shows one in your session's time zone.

-- ==== Looking ========================================================================================================

-- [backlog] How many rows of which status? 0 delivering, 1 delivered, 2 failed, 3 consumed. Reads an index from end to
-- end: on a table of millions, ask `outbox-sidecar status` or the metrics.
SELECT status, COUNT(*) AS messages, FROM_UNIXTIME(MIN(update_time) / 1000) AS oldest_change
  FROM msg_log GROUP BY status;

-- [oldest-due] What is due, and for how many seconds already? More than a few: a backlog, or a sidecar that is held up.
SELECT COUNT(*) AS due,
       (UNIX_TIMESTAMP() * 1000 - MIN(COALESCE(NULLIF(next_try_time, 0), create_time))) / 1000 AS oldest_s
  FROM msg_log WHERE status = 0 AND (next_try_time IS NULL OR next_try_time <= UNIX_TIMESTAMP() * 1000);

-- [stuck] Which messages have been due for more than a minute, and where are they to go? One exchange: look at it. All:
-- look at the sidecar, [lanes].
SELECT exchange, routing_key, COUNT(*) AS messages, FROM_UNIXTIME(MIN(create_time) / 1000) AS oldest,
       MAX(last_error) AS one_error
  FROM msg_log
 WHERE status = 0 AND (next_try_time IS NULL OR next_try_time <= (UNIX_TIMESTAMP() - 60) * 1000)
   AND update_time <= (UNIX_TIMESTAMP() - 60) * 1000
 GROUP BY exchange, routing_key ORDER BY messages DESC LIMIT 20;

-- [retrying] Which wait for another try, until when, and why?
SELECT id, exchange, routing_key, try_count, FROM_UNIXTIME(next_try_time / 1000) AS next_try, last_error
  FROM msg_log WHERE status = 0 AND next_try_time > UNIX_TIMESTAMP() * 1000 AND try_count > 0
 ORDER BY next_try_time LIMIT 100;

-- [delayed] Which were put off by the application?
SELECT id, exchange, routing_key, FROM_UNIXTIME(next_try_time / 1000) AS not_before
  FROM msg_log WHERE status = 0 AND next_try_time > UNIX_TIMESTAMP() * 1000 AND try_count = 0
 ORDER BY next_try_time LIMIT 100;

-- [failures-by-reason] What failed for good in the last day, and why?
SELECT exchange, routing_key, LEFT(last_error, 80) AS reason, COUNT(*) AS messages,
       FROM_UNIXTIME(MAX(update_time) / 1000) AS latest
  FROM msg_log WHERE status = 2 AND update_time > (UNIX_TIMESTAMP() - 86400) * 1000
 GROUP BY exchange, routing_key, reason ORDER BY messages DESC LIMIT 50;

-- [message] Everything about one message.
SELECT id, status, try_count, exchange, routing_key, FROM_UNIXTIME(create_time / 1000) AS created,
       FROM_UNIXTIME(update_time / 1000) AS changed, FROM_UNIXTIME(next_try_time / 1000) AS next_try, last_error, headers,
       LEFT(msg, 500) AS body
  FROM msg_log WHERE id = 'THE-ID';

-- [ledger] The latest entries of the ledger of failures. fail_flag 0: could not be delivered; 1: a consumer's.
SELECT id, source, message_id, topic AS exchange, tags AS routing_key, fail_flag + 0 AS fail_flag,
       FROM_UNIXTIME(create_time / 1000) AS filed, retry AS retries, last_retry_status + 0 AS last_retry,
       LEFT(CONVERT(ex_content USING utf8mb4), 200) AS reason
  FROM sys_mq_fail ORDER BY id DESC LIMIT 50;

-- [lanes] Who relays, and until when is the lease? `seconds_left` below zero: nobody does.
SELECT table_name, lane, lanes, owner, epoch, (expires - UNIX_TIMESTAMP() * 1000) / 1000 AS seconds_left
  FROM msg_lane WHERE lane >= 0 ORDER BY table_name, lane;

-- [throughput] How many were delivered in each of the last six tens of seconds, and how old were they when they were?
SELECT (UNIX_TIMESTAMP() - update_time DIV 1000) DIV 10 * 10 AS seconds_ago, COUNT(*) AS delivered,
       ROUND(AVG(update_time - create_time)) AS average_age_ms, MAX(update_time - create_time) AS greatest_age_ms
  FROM msg_log WHERE status = 1 AND update_time > (UNIX_TIMESTAMP() - 60) * 1000
 GROUP BY seconds_ago ORDER BY seconds_ago;

-- [growth] How many messages were written in each hour of the last day? Reads the whole table: off-peak.
SELECT FROM_UNIXTIME(create_time DIV 3600000 * 3600) AS hour, COUNT(*) AS messages,
       ROUND(AVG(LENGTH(msg))) AS average_bytes
  FROM msg_log WHERE create_time > (UNIX_TIMESTAMP() - 86400) * 1000 GROUP BY hour ORDER BY hour;

-- [size] How large is the table? `free_mb` comes back by use, or by OPTIMIZE TABLE, which copies the table.
SELECT table_rows AS about_rows, ROUND(data_length / 1048576) AS data_mb, ROUND(index_length / 1048576) AS index_mb,
       ROUND(data_free / 1048576) AS free_mb
  FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'msg_log';

-- [long-transactions] Which transactions keep InnoDB from clearing away what was deleted? (Needs the right PROCESS.)
SELECT trx_mysql_thread_id AS connection, TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS seconds, trx_state,
       trx_rows_locked, trx_query
  FROM information_schema.innodb_trx ORDER BY trx_started LIMIT 10;

-- [blocked-keys] With relay.ordered: which keys wait for which message? With on_failed: skip, without the failed ones.
SELECT m.order_key, m.id, m.status, m.try_count, FROM_UNIXTIME(m.next_try_time / 1000) AS next_try, m.last_error
  FROM msg_log AS m
 WHERE m.status IN (0, 2) AND m.order_key <> '' AND (m.status = 2 OR m.next_try_time > UNIX_TIMESTAMP() * 1000)
   AND EXISTS (SELECT 1 FROM msg_log AS later
                WHERE later.order_key = m.order_key AND later.status = 0
                  AND (later.create_time, later.id) > (m.create_time, m.id))
 ORDER BY m.create_time LIMIT 100;

-- [unconsumed] Which were delivered more than an hour ago, and no consumer has said that it is done? (Only where
-- consumers set status 3.)
SELECT id, exchange, routing_key, FROM_UNIXTIME(update_time / 1000) AS delivered
  FROM msg_log WHERE status = 1 AND update_time < (UNIX_TIMESTAMP() - 3600) * 1000 ORDER BY update_time LIMIT 100;

-- ==== Changing =======================================================================================================

-- [requeue-one] Send one failed message again, with all its tries. `outbox-sidecar retry THE-ID` does it, and tells the
-- ledger.
UPDATE msg_log SET status = 0, try_count = 0, next_try_time = 0, update_time = UNIX_TIMESTAMP() * 1000
 WHERE id = 'THE-ID' AND status = 2;

-- [requeue-many] Send again what failed for one reason, once that is mended.
UPDATE msg_log SET status = 0, try_count = 0, next_try_time = 0, update_time = UNIX_TIMESTAMP() * 1000
 WHERE status = 2 AND exchange = 'orders' AND last_error LIKE '%NO_ROUTE%' LIMIT 1000;

-- [try-now] Try now what waits for its next try, as the cause is mended. The tries that were spent stay spent.
UPDATE msg_log SET next_try_time = 0
 WHERE status = 0 AND exchange = 'orders' AND try_count > 0 AND next_try_time > UNIX_TIMESTAMP() * 1000 LIMIT 1000;

-- [consumed] A consumer says that it is done; it may overtake the confirm.
UPDATE msg_log SET status = 3, update_time = UNIX_TIMESTAMP() * 1000 WHERE id = 'THE-ID' AND status IN (0, 1);

-- [give-up] Don't send this one any more: as if it had been dealt with. It may be on its way already.
UPDATE msg_log SET status = 3, update_time = UNIX_TIMESTAMP() * 1000 WHERE id = 'THE-ID' AND status IN (0, 2);

-- [pause-exchange] Hold an exchange back for an hour, but for what is in flight. Not what is written later: repeat it.
UPDATE msg_log SET next_try_time = (UNIX_TIMESTAMP() + 3600) * 1000
 WHERE status = 0 AND exchange = 'orders'
   AND (next_try_time IS NULL OR next_try_time <= (UNIX_TIMESTAMP() + 1) * 1000) LIMIT 1000;

-- [resume-exchange] Let it go on. Also ends what the application itself has put off within the hour.
UPDATE msg_log SET next_try_time = 0
 WHERE status = 0 AND exchange = 'orders' AND try_count = 0
   AND next_try_time BETWEEN UNIX_TIMESTAMP() * 1000 AND (UNIX_TIMESTAMP() + 3600) * 1000 LIMIT 1000;

-- [delete-old] Delete what was delivered more than a week ago, as `purge` in the configuration does by itself.
DELETE FROM msg_log WHERE status IN (1, 3) AND update_time < (UNIX_TIMESTAMP() - 7 * 86400) * 1000 LIMIT 1000;

-- [trim-ledger] Nothing is deleted from the ledger by itself: forget what was filed more than 90 days ago.
DELETE FROM sys_mq_fail WHERE create_time < (UNIX_TIMESTAMP() - 90 * 86400) * 1000 LIMIT 1000;

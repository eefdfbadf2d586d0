-- For relay.ordered: true, which is refused without it: finds the first unsettled message of each order_key. Every
-- INSERT and every settled message pays for one index more, so it is no migration. Apply it by hand; applications can go
-- on inserting meanwhile.
ALTER TABLE `msg_log` ADD KEY `msg_log_ordered` (`order_key`, `status`, `create_time`, `id`);

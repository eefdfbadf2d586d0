-- A consumer's work as a procedure, for any AMQP client to call with each message. The client may be killed at any
-- moment: it acknowledges by hand, and when CALL handle_message(message_id, body, @outcome)
--
--   returns    it acknowledges, for the outcomes 'shipped' and 'skipped', or rejects without requeue, for 'rejected'
--   fails      it does neither and ends, and the broker hands the message out again
DELIMITER //

DROP PROCEDURE IF EXISTS handle_message //

CREATE PROCEDURE handle_message(the_id varchar(255), body longtext, OUT outcome varchar(10))
BEGIN
  DECLARE the_order text DEFAULT NULL;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;

  IF JSON_VALID(body) THEN
    SET the_order = JSON_UNQUOTE(JSON_EXTRACT(body, '$.order'));
  END IF;
  IF the_id IS NULL OR the_order IS NULL OR the_order NOT REGEXP '^[0-9]{1,9}$' THEN
    SET outcome = 'rejected'; -- it will never be any better: to the dead letters
  ELSE
    START TRANSACTION;
    INSERT IGNORE INTO msg_inbox (consumer, message_id) VALUES ('shipping', the_id);
    SET outcome = IF(ROW_COUNT() = 1, 'shipped', 'skipped');
    IF outcome = 'shipped' THEN
      INSERT INTO shipments (order_id) VALUES (the_order);
    END IF;
    COMMIT;
    -- The receipt is a transaction of its own: msg_log may be in another database.
    UPDATE msg_log SET status = 3 WHERE id = the_id AND status IN (0, 1);
  END IF;
END //

DELIMITER ;

package main

import "database/sql"

// handle ships the order and remembers the message in one transaction, or says that this was done before.
func handle(db *sql.DB, messageID string, order int) (string, error) {
	tx, err := db.Begin()
	if err != nil {
		return "", err
	}
	defer tx.Rollback() // does nothing after a commit
	inbox, err := tx.Exec("INSERT IGNORE INTO msg_inbox (consumer, message_id) VALUES ('shipping', ?)", messageID)
	if err != nil {
		return "", err
	}
	outcome := "skipped"
	if rows, _ := inbox.RowsAffected(); rows == 1 {
		outcome = "shipped"
		if _, err := tx.Exec("INSERT INTO shipments (order_id) VALUES (?)", order); err != nil {
			return "", err
		}
	}
	if err := tx.Commit(); err != nil {
		return "", err
	}
	// The receipt is a transaction of its own: msg_log may be in another database.
	_, err = db.Exec("UPDATE msg_log SET status = 3 WHERE id = ? AND status IN (0, 1)", messageID)
	return outcome, err
}

// Places orders. Each is announced through msg_log, in the transaction that writes the order itself.
package main

import (
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"

	_ "github.com/go-sql-driver/mysql"
)

const traced = `{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}` // of the current span

// placeOrder writes the order and its message, which goes out delay seconds from now by the database's clock.
// headers is a JSON object, or nil.
func placeOrder(tx *sql.Tx, order int, total string, delay int, headers any) error {
	if _, err := tx.Exec("INSERT INTO orders (id, total) VALUES (?, ?)", order, total); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO msg_log (msg, exchange, routing_key, headers, next_try_time)
		VALUES (?, 'orders', 'order.created', ?, (UNIX_TIMESTAMP() + ?) * 1000)`,
		fmt.Sprintf(`{"order": %d}`, order), headers, delay)
	return err
}

// inTransaction commits what work has written, or rolls it back if work fails.
func inTransaction(db *sql.DB, work func(*sql.Tx) error) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	if err := work(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func main() {
	db, err := sql.Open("mysql", os.ExpandEnv("$DB_USER:$DB_PASSWORD@tcp($DB_HOST:$DB_PORT)/$DB_NAME"))
	if err != nil {
		log.Fatal(err)
	}
	errDeclined := errors.New("payment declined")
	must := func(err error) {
		if err != nil && err != errDeclined {
			log.Fatal(err)
		}
	}
	must(inTransaction(db, func(tx *sql.Tx) error { return placeOrder(tx, 1, "99.90", 0, nil) }))
	must(inTransaction(db, func(tx *sql.Tx) error {
		must(placeOrder(tx, 2, "12.50", 0, nil))
		return errDeclined // neither the order nor its message ever existed
	}))
	must(inTransaction(db, func(tx *sql.Tx) error { return placeOrder(tx, 3, "7.00", 3, nil) }))
	must(inTransaction(db, func(tx *sql.Tx) error { return placeOrder(tx, 4, "45.00", 0, traced) }))
}

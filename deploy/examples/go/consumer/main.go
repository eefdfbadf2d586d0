// Ships each order once, however often its message comes. It may be killed at any moment.
package main

import (
	"database/sql"
	"encoding/json"
	"log"
	"os"

	_ "github.com/go-sql-driver/mysql"
	amqp "github.com/rabbitmq/amqp091-go"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err) // the broker hands out again whatever was not acknowledged
	}
	return value
}

func main() {
	db := must(sql.Open("mysql", os.ExpandEnv("$DB_USER:$DB_PASSWORD@tcp($DB_HOST:$DB_PORT)/$DB_NAME")))
	channel := must(must(amqp.Dial(os.Getenv("AMQP_URL"))).Channel())
	must(0, channel.Qos(20, 0, false))
	for message := range must(channel.Consume("shipping", "", false, false, false, false, nil)) {
		var body struct{ Order *int }
		if err := json.Unmarshal(message.Body, &body); err != nil || body.Order == nil || message.MessageId == "" {
			must(0, message.Reject(false)) // it will never be any better: to the dead letters
			log.Println("rejected", message.MessageId, err)
			continue
		}
		outcome := must(handle(db, message.MessageId, *body.Order))
		must(0, message.Ack(false))
		log.Println(outcome, *body.Order)
	}
	log.Fatal("the channel was closed")
}

module outbox-example

go 1.19

require (
	github.com/go-sql-driver/mysql v1.7.1
	github.com/rabbitmq/amqp091-go v1.9.0
)

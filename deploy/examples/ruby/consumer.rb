# Ships each order once, however often its message comes. It may be killed at any moment.
require "bunny"
require "json"
require "mysql2"

$stdout.sync = true

class Shipping
  def initialize(database)
    @database = database
  end

  # Ships the order and remembers the message in one transaction. False if that was done before.
  def handle(message_id, order)
    @database.query("BEGIN")
    new = write("INSERT IGNORE INTO msg_inbox (consumer, message_id) VALUES ('shipping', ?)", message_id) == 1
    write("INSERT INTO shipments (order_id) VALUES (?)", order) if new
    @database.query("COMMIT")
    # The receipt is a transaction of its own: msg_log may be in another database.
    write("UPDATE msg_log SET status = 3 WHERE id = ? AND status IN (0, 1)", message_id)
    new
  end

  private

  # The number of rows changed.
  def write(sql, *values)
    statement = @database.prepare(sql)
    statement.execute(*values)
    statement.affected_rows
  ensure
    statement&.close
  end
end

shipping = Shipping.new(Mysql2::Client.new(
  host: ENV.fetch("DB_HOST"), port: ENV.fetch("DB_PORT").to_i, username: ENV.fetch("DB_USER"),
  password: ENV.fetch("DB_PASSWORD"), database: ENV.fetch("DB_NAME"), encoding: "utf8mb4"
))
channel = Bunny.new(ENV.fetch("AMQP_URL")).start.create_channel
channel.prefetch(20)
# Any error but a faulty message ends the process, and the broker hands out again whatever was not acknowledged.
channel.on_uncaught_exception { |error, _consumer| warn error.full_message; exit! 1 }

channel.queue("shipping", passive: true).subscribe(manual_ack: true, block: true) do |delivery, properties, body|
  begin
    JSON.parse(body, symbolize_names: true) => { order: Integer => order }
    properties.message_id => String => message_id
  rescue JSON::ParserError, NoMatchingPatternError => e
    channel.reject(delivery.delivery_tag, false) # it will never be any better: to the dead letters
    puts "rejected: #{e.message}"
    next
  end
  new = shipping.handle(message_id, order)
  channel.ack(delivery.delivery_tag)
  puts "#{new ? 'shipped' : 'skipped'} #{order}"
end

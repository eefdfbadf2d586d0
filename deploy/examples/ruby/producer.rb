# Places orders. Each is announced through msg_log, in the transaction that writes the order itself.
require "json"
require "mysql2"

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" # of the current span, in real life

class Shop
  Declined = Class.new(StandardError)

  def initialize(database)
    @database = database
  end

  # Writes the order and its message, which goes out +delay+ seconds from now by the database's clock.
  def place_order(order, total, delay: 0, headers: nil)
    insert("INSERT INTO orders (id, total) VALUES (?, ?)", order, total)
    insert(<<~SQL, { order: order }.to_json, headers&.to_json, delay)
      INSERT INTO msg_log (msg, exchange, routing_key, headers, next_try_time)
      VALUES (?, 'orders', 'order.created', ?, (UNIX_TIMESTAMP() + ?) * 1000)
    SQL
  end

  # Commits what the block has written, or rolls it back if the block raises.
  def transaction
    @database.query("BEGIN")
    yield
    @database.query("COMMIT")
  rescue StandardError
    @database.query("ROLLBACK")
    raise
  end

  private

  def insert(sql, *values) = @database.prepare(sql).execute(*values)
end

shop = Shop.new(Mysql2::Client.new(
  host: ENV.fetch("DB_HOST"), port: ENV.fetch("DB_PORT").to_i, username: ENV.fetch("DB_USER"),
  password: ENV.fetch("DB_PASSWORD"), database: ENV.fetch("DB_NAME"), encoding: "utf8mb4"
))

shop.transaction { shop.place_order(1, "99.90") }

begin
  shop.transaction do
    shop.place_order(2, "12.50")
    raise Shop::Declined, "payment declined"
  end
rescue Shop::Declined => e
  puts "order 2: #{e.message}" # neither the order nor its message ever existed
end

shop.transaction { shop.place_order(3, "7.00", delay: 3) }

shop.transaction { shop.place_order(4, "45.00", headers: { traceparent: TRACEPARENT }) }

package shop;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/** Places orders. Each is announced through msg_log, in the transaction that writes the order itself. */
public class Producer {
    // Of the current span, in real life.
    private static final String TRACED =
            "{\"traceparent\": \"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}";

    /**
     * Writes the order and its message, which goes out {@code delay} seconds from now by the database's clock.
     *
     * @param headers a JSON object, or null
     */
    static void placeOrder(Connection database, int order, String total, int delay, String headers)
            throws SQLException {
        try (var insert = database.prepareStatement("INSERT INTO orders (id, total) VALUES (?, ?)")) {
            insert.setInt(1, order);
            insert.setString(2, total);
            insert.executeUpdate();
        }
        try (var insert = database.prepareStatement("""
                INSERT INTO msg_log (msg, exchange, routing_key, headers, next_try_time)
                VALUES (?, 'orders', 'order.created', ?, (UNIX_TIMESTAMP() + ?) * 1000)""")) {
            insert.setString(1, "{\"order\": " + order + "}");
            insert.setString(2, headers);
            insert.setInt(3, delay);
            insert.executeUpdate();
        }
    }

    public static void main(String[] arguments) throws SQLException {
        var env = System.getenv();
        var url = "jdbc:mariadb://" + env.get("DB_HOST") + ":" + env.get("DB_PORT") + "/" + env.get("DB_NAME");
        try (var database = DriverManager.getConnection(url, env.get("DB_USER"), env.get("DB_PASSWORD"))) {
            database.setAutoCommit(false); // so each order below is a transaction

            placeOrder(database, 1, "99.90", 0, null);
            database.commit();

            placeOrder(database, 2, "12.50", 0, null);
            database.rollback(); // neither the order nor its message ever existed

            placeOrder(database, 3, "7.00", 3, null);
            database.commit();

            placeOrder(database, 4, "45.00", 0, TRACED);
            database.commit();
        }
    }
}

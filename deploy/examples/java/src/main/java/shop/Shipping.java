package shop;

import java.sql.Connection;
import java.sql.SQLException;

/** Ships orders, each once. Wants a connection with autocommit off; for one thread at a time. */
record Shipping(Connection database) {
    /** Ships the order and remembers the message in one transaction. False if that was done before. */
    boolean handle(String messageId, int order) throws SQLException {
        var isNew = write("INSERT IGNORE INTO msg_inbox (consumer, message_id) VALUES ('shipping', ?)", messageId) == 1;
        if (isNew) write("INSERT INTO shipments (order_id) VALUES (?)", order);
        database.commit();
        // The receipt is a transaction of its own: msg_log may be in another database.
        write("UPDATE msg_log SET status = 3 WHERE id = ? AND status IN (0, 1)", messageId);
        database.commit();
        return isNew;
    }

    private int write(String sql, Object value) throws SQLException {
        try (var statement = database.prepareStatement(sql)) {
            statement.setObject(1, value);
            return statement.executeUpdate();
        }
    }
}

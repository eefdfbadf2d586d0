package shop;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import java.io.IOException;
import java.sql.DriverManager;
import java.sql.SQLException;

/** Hands each message to {@link Shipping}. It may be killed at any moment. */
public record Consumer(Channel channel, Shipping shipping) {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static JsonNode order(Delivery message) throws IOException {
        try {
            return JSON.readTree(message.getBody()).path("order");
        } catch (JsonProcessingException error) {
            return MissingNode.getInstance();
        }
    }

    private void onMessage(String consumer, Delivery message) throws IOException {
        var tag = message.getEnvelope().getDeliveryTag();
        var messageId = message.getProperties().getMessageId();
        var order = order(message);
        if (!order.isInt() || messageId == null) { // it will never be any better: to the dead letters
            channel.basicReject(tag, false);
            System.out.println("rejected " + messageId);
            return;
        }
        try {
            var isNew = shipping.handle(messageId, order.intValue());
            channel.basicAck(tag, false);
            System.out.println((isNew ? "shipped " : "skipped ") + order);
        } catch (SQLException error) {
            throw new IOException(error); // closes the channel
        }
    }

    public static void main(String[] arguments) throws Exception {
        var env = System.getenv();
        var url = "jdbc:mariadb://" + env.get("DB_HOST") + ":" + env.get("DB_PORT") + "/" + env.get("DB_NAME");
        var database = DriverManager.getConnection(url, env.get("DB_USER"), env.get("DB_PASSWORD"));
        database.setAutoCommit(false);
        var factory = new ConnectionFactory();
        factory.setUri(env.get("AMQP_URL"));
        var channel = factory.newConnection().createChannel();
        // Without its channel the process ends, and the broker hands out again whatever was not acknowledged.
        channel.addShutdownListener(cause -> Runtime.getRuntime().halt(1));
        channel.basicQos(20);
        var consumer = new Consumer(channel, new Shipping(database));
        channel.basicConsume("shipping", consumer::onMessage, tag -> Runtime.getRuntime().halt(1));
    }
}

<?php
// Ships each order once, however often its message comes. It may be killed at any moment.
declare(strict_types=1);

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;

require 'PhpAmqpLib/autoload.php'; // of Debian's php-amqplib; with Composer it is vendor/autoload.php

/** Ships the order and remembers the message in one transaction. False if that was done before. */
function handle(PDO $database, string $messageId, int $order): bool
{
    $database->beginTransaction();
    $inbox = $database->prepare("INSERT IGNORE INTO msg_inbox (consumer, message_id) VALUES ('shipping', ?)");
    $inbox->execute([$messageId]);
    $new = $inbox->rowCount() === 1;
    if ($new) {
        $database->prepare('INSERT INTO shipments (order_id) VALUES (?)')->execute([$order]);
    }
    $database->commit();
    // The receipt is a transaction of its own: msg_log may be in another database.
    $database->prepare('UPDATE msg_log SET status = 3 WHERE id = ? AND status IN (0, 1)')->execute([$messageId]);
    return $new;
}

$database = new PDO(
    sprintf('mysql:host=%s;port=%s;dbname=%s;charset=utf8mb4', getenv('DB_HOST'), getenv('DB_PORT'), getenv('DB_NAME')),
    getenv('DB_USER'),
    getenv('DB_PASSWORD'),
);
$url = parse_url(getenv('AMQP_URL'));
$connection = new AMQPStreamConnection(
    $url['host'],
    $url['port'] ?? 5672,
    urldecode($url['user']),
    urldecode($url['pass']),
    urldecode(substr($url['path'] ?? '', 1)) ?: '/',
);
$channel = $connection->channel();
$channel->basic_qos(0, 20, false);
$channel->basic_consume('shipping', callback: function (AMQPMessage $message) use ($database): void {
    $order = json_decode($message->getBody(), true)['order'] ?? null;
    if (!is_int($order) || !$message->has('message_id')) { // it will never be any better: to the dead letters
        $message->reject(false);
        echo "rejected: no order, or no message_id\n";
        return;
    }
    // Any exception ends the process, and the broker hands out again whatever was not acknowledged.
    $new = handle($database, $message->get('message_id'), $order);
    $message->ack();
    echo $new ? 'shipped' : 'skipped', " $order\n";
});
while ($channel->is_consuming()) {
    $channel->wait();
}

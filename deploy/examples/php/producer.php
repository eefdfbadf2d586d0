<?php
// Places orders. Each is announced through msg_log, in the transaction that writes the order itself.
declare(strict_types=1);

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'; // of the current span, in real life

/** Writes the order and its message, which goes out $delay seconds from now by the database's clock. */
function placeOrder(PDO $database, int $order, string $total, int $delay = 0, ?array $headers = null): void
{
    $database->prepare('INSERT INTO orders (id, total) VALUES (?, ?)')->execute([$order, $total]);
    $database->prepare(
        "INSERT INTO msg_log (msg, exchange, routing_key, headers, next_try_time)
         VALUES (?, 'orders', 'order.created', ?, (UNIX_TIMESTAMP() + ?) * 1000)"
    )->execute([
        json_encode(['order' => $order], JSON_THROW_ON_ERROR),
        $headers === null ? null : json_encode($headers, JSON_THROW_ON_ERROR),
        $delay,
    ]);
}

$database = new PDO(
    sprintf('mysql:host=%s;port=%s;dbname=%s;charset=utf8mb4', getenv('DB_HOST'), getenv('DB_PORT'), getenv('DB_NAME')),
    getenv('DB_USER'),
    getenv('DB_PASSWORD'),
);

$database->beginTransaction();
placeOrder($database, 1, '99.90');
$database->commit();

$database->beginTransaction();
placeOrder($database, 2, '12.50');
$database->rollBack(); // neither the order nor its message ever existed

$database->beginTransaction();
placeOrder($database, 3, '7.00', delay: 3);
$database->commit();

$database->beginTransaction();
placeOrder($database, 4, '45.00', headers: ['traceparent' => TRACEPARENT]);
$database->commit();

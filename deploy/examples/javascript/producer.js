// Places orders. Each is announced through msg_log, in the transaction that writes the order itself.
import mysql from 'mysql2/promise';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'; // of the current span, in real life

/** Writes the order and its message, which goes out `delay` seconds from now by the database's clock. */
async function placeOrder(connection, order, total, { delay = 0, headers = null } = {}) {
  await connection.execute('INSERT INTO orders (id, total) VALUES (?, ?)', [order, total]);
  await connection.execute(
    `INSERT INTO msg_log (msg, exchange, routing_key, headers, next_try_time)
     VALUES (?, 'orders', 'order.created', ?, (UNIX_TIMESTAMP() + ?) * 1000)`,
    [JSON.stringify({ order }), headers && JSON.stringify(headers), delay],
  );
}

/** Commits what `work` has written, or rolls it back if `work` throws. */
async function transaction(connection, work) {
  await connection.beginTransaction();
  try {
    await work();
    await connection.commit();
  } catch (error) {
    await connection.rollback();
    throw error;
  }
}

const { DB_HOST: host, DB_PORT: port, DB_USER: user, DB_PASSWORD: password, DB_NAME: database } = process.env;
const connection = await mysql.createConnection({ host, port, user, password, database });

await transaction(connection, () => placeOrder(connection, 1, '99.90'));

try {
  await transaction(connection, async () => {
    await placeOrder(connection, 2, '12.50');
    throw new Error('payment declined');
  });
} catch (error) {
  console.log(`order 2: ${error.message}`); // neither the order nor its message ever existed
}

await transaction(connection, () => placeOrder(connection, 3, '7.00', { delay: 3 }));

await transaction(connection, () => placeOrder(connection, 4, '45.00', { headers: { traceparent } }));

await connection.end();

// Ships each order once, however often its message comes. It may be killed at any moment.
import amqp from 'amqplib';
import mysql from 'mysql2/promise';

const { DB_HOST: host, DB_PORT: port, DB_USER: user, DB_PASSWORD: password, DB_NAME: database } = process.env;
const pool = mysql.createPool({ host, port, user, password, database });

/** Ships the order and remembers the message in one transaction. False if that was done before. */
async function handle(messageId, order) {
  const connection = await pool.getConnection(); // its own: messages are handled side by side
  await connection.beginTransaction();
  const [inbox] = await connection.execute(
    "INSERT IGNORE INTO msg_inbox (consumer, message_id) VALUES ('shipping', ?)", [messageId]);
  const isNew = inbox.affectedRows === 1;
  if (isNew) await connection.execute('INSERT INTO shipments (order_id) VALUES (?)', [order]);
  await connection.commit();
  // The receipt is a transaction of its own: msg_log may be in another database.
  await connection.execute('UPDATE msg_log SET status = 3 WHERE id = ? AND status IN (0, 1)', [messageId]);
  connection.release();
  return isNew;
}

/** The order that the message is about. Throws if the message can never be understood. */
function parse({ content, properties: { messageId } }) {
  const { order } = JSON.parse(content);
  if (!Number.isSafeInteger(order)) throw new Error('no order');
  if (!messageId) throw new Error('no message_id');
  return order;
}

async function onMessage(message) {
  if (!message) throw new Error('the broker cancelled the consumer');
  let order;
  try {
    order = parse(message);
  } catch (error) { // it will never be any better: to the dead letters
    channel.nack(message, false, false);
    console.log(`rejected: ${error.message}`);
    return;
  }
  // Any other error ends the process, and the broker hands out again whatever was not acknowledged.
  const isNew = await handle(message.properties.messageId, order);
  channel.ack(message);
  console.log(isNew ? 'shipped' : 'skipped', order);
}

const connection = await amqp.connect(process.env.AMQP_URL);
connection.on('close', () => process.exit(1));
const channel = await connection.createChannel();
await channel.prefetch(20);
await channel.consume('shipping', onMessage);

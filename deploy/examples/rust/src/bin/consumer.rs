//! Ships each order once, however often its message comes. It may be killed at any moment.
use futures_lite::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::{message::Delivery, types::FieldTable, Connection, ConnectionProperties};
use sqlx::{query, MySqlPool};

#[derive(serde::Deserialize)]
struct Created {
    order: i32,
}

/// Ships the order and remembers the message in one transaction. False if that was done before.
async fn handle(database: &MySqlPool, message_id: &str, order: i32) -> sqlx::Result<bool> {
    let mut transaction = database.begin().await?;
    let inbox = query("INSERT IGNORE INTO msg_inbox (consumer, message_id) VALUES ('shipping', ?)");
    let is_new = inbox.bind(message_id).execute(&mut *transaction).await?.rows_affected() == 1;
    if is_new {
        let shipment = query("INSERT INTO shipments (order_id) VALUES (?)");
        shipment.bind(order).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    // The receipt is a transaction of its own: msg_log may be in another database.
    let receipt = query("UPDATE msg_log SET status = 3 WHERE id = ? AND status IN (0, 1)");
    receipt.bind(message_id).execute(database).await?;
    Ok(is_new)
}

/// The message's id and order, or nothing if it can never be understood.
fn parse(delivery: &Delivery) -> Option<(String, i32)> {
    let message_id = delivery.properties.message_id().as_ref()?.to_string();
    let created: Created = serde_json::from_slice(&delivery.data).ok()?;
    Some((message_id, created.order))
}

// An error ends the process, and the broker hands out again whatever was not acknowledged.
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = outbox_example::connect().await?;
    let connection = Connection::connect(&std::env::var("AMQP_URL")?, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.basic_qos(20, BasicQosOptions::default()).await?;
    let mut messages = channel
        .basic_consume("shipping".into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
        .await?;
    while let Some(delivery) = messages.next().await {
        let delivery = delivery?;
        let Some((message_id, order)) = parse(&delivery) else {
            // It will never be any better: to the dead letters.
            delivery.reject(BasicRejectOptions { requeue: false }).await?;
            println!("rejected");
            continue;
        };
        let is_new = handle(&database, &message_id, order).await?;
        delivery.ack(BasicAckOptions::default()).await?;
        println!("{} {order}", if is_new { "shipped" } else { "skipped" });
    }
    Err("the broker cancelled the consumer".into())
}

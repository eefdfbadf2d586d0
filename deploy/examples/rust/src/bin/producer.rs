//! Places orders. Each is announced through msg_log, in the transaction that writes the order itself.
use serde_json::{json, Value};
use sqlx::{query, MySqlConnection};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"; // of the current span, in real life

/// Writes the order and its message, which goes out `delay` seconds from now by the database's clock.
async fn place_order(
    database: &mut MySqlConnection,
    order: i32,
    total: &str,
    delay: u32,
    headers: Option<Value>,
) -> sqlx::Result<()> {
    query("INSERT INTO orders (id, total) VALUES (?, ?)").bind(order).bind(total).execute(&mut *database).await?;
    query(
        "INSERT INTO msg_log (msg, exchange, routing_key, headers, next_try_time)
         VALUES (?, 'orders', 'order.created', ?, (UNIX_TIMESTAMP() + ?) * 1000)",
    )
    .bind(json!({ "order": order }).to_string())
    .bind(headers.map(|object| object.to_string()))
    .bind(delay)
    .execute(database)
    .await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = outbox_example::connect().await?;

    let mut transaction = database.begin().await?;
    place_order(&mut transaction, 1, "99.90", 0, None).await?;
    transaction.commit().await?;

    let mut transaction = database.begin().await?;
    place_order(&mut transaction, 2, "12.50", 0, None).await?;
    transaction.rollback().await?; // neither the order nor its message ever existed

    let mut transaction = database.begin().await?;
    place_order(&mut transaction, 3, "7.00", 3, None).await?;
    transaction.commit().await?;

    let mut transaction = database.begin().await?;
    let headers = json!({ "traceparent": TRACEPARENT });
    place_order(&mut transaction, 4, "45.00", 0, Some(headers)).await?;
    transaction.commit().await?;
    Ok(())
}

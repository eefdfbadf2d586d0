use sqlx::mysql::{MySqlConnectOptions, MySqlPool};
use std::env::var;

/// A pool of connections to the database that the variables DB_… name.
pub async fn connect() -> Result<MySqlPool, Box<dyn std::error::Error>> {
    let options = MySqlConnectOptions::new()
        .host(&var("DB_HOST")?)
        .port(var("DB_PORT")?.parse()?)
        .username(&var("DB_USER")?)
        .password(&var("DB_PASSWORD")?)
        .database(&var("DB_NAME")?);
    Ok(MySqlPool::connect_with(options).await?)
}

//! Writes that are done once, however often they are sent: by a key of the caller's, for a day.
//!
//! What is kept is what a door answered, so a door keeps ids and numbers and no content. Deliberately absent: what makes
//! two requests the same; the door hands over a digest of what it read.

use serde_json::Value;
use uuid::Uuid;

use crate::check;
use crate::error::Result;
use crate::store::Store;
use crate::trip;

/// Longest key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// Largest answer that is kept, in bytes of JSON: ids of a batch, not the batch.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// What a key says of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Idempotent {
    /// The key is new and this call holds it: do the write, then [`Store::idempotent_finish`].
    Fresh,
    /// The same write was done: answer this.
    Replay {
        /// The status that was answered.
        status: u16,
        /// What was answered.
        response: Value,
    },
    /// The key was used for another request.
    Mismatch,
    /// The same request is at work, or was until less than two minutes ago.
    InProgress,
}

impl Store {
    /// Claims a key of this caller (a token's id; zeros where there is no token) for one request.
    ///
    /// # Errors
    /// [`crate::StoreError::Invalid`] for a key that is blank, too long or holds a control character.
    pub async fn idempotent_begin(&self, owner: Uuid, key: &str, request_sha256: &[u8; 32]) -> Result<Idempotent> {
        check_key(key)?;
        let client = self.database().client().await?;
        let statement = include_str!("../sql/queries/idempotency/begin.sql");
        let rows = trip::ask(&client, trip::SERVE_NONE, statement, &[&owner, &key, &request_sha256.as_slice()]).await?;
        let Some(row) = rows.first() else { return Ok(Idempotent::InProgress) };
        Ok(match row.try_get::<_, &str>("outcome")? {
            "fresh" => Idempotent::Fresh,
            "mismatch" => Idempotent::Mismatch,
            "replay" => Idempotent::Replay {
                status: u16::try_from(row.try_get::<_, i32>("status")?).unwrap_or(200),
                response: row.try_get::<_, Option<Value>>("response")?.unwrap_or(Value::Null),
            },
            _ => Idempotent::InProgress,
        })
    }

    /// Keeps what was answered to a claimed request; `None` gives the claim back, so that the caller may try again.
    /// Whether the claim was still there.
    ///
    /// # Errors
    /// [`crate::StoreError::Invalid`] for a response of more than 64 KiB, or a key that cannot be one.
    pub async fn idempotent_finish(
        &self,
        owner: Uuid,
        key: &str,
        request_sha256: &[u8; 32],
        answer: Option<(u16, &Value)>,
    ) -> Result<bool> {
        check_key(key)?;
        let response = answer.map(|(_, response)| response);
        if let Some(bytes) = response.map(|value| value.to_string().len()).filter(|bytes| *bytes > MAX_RESPONSE_BYTES) {
            let accepted = format!("at most {MAX_RESPONSE_BYTES} bytes: ids, no content");
            return Err(check::invalid("response", format!("{bytes} bytes"), accepted));
        }
        let status = answer.map(|(status, _)| i32::from(status));
        let client = self.database().client().await?;
        let rows = trip::ask(
            &client,
            trip::SERVE_NONE,
            include_str!("../sql/queries/idempotency/finish.sql"),
            &[&owner, &key, &request_sha256.as_slice(), &status, &response],
        )
        .await?;
        rows.first().map_or(Ok(false), |row| Ok(row.try_get("kept")?))
    }
}

/// Forgets what was kept for a day.
pub(crate) async fn expire(client: &heirloom_engine::Client) -> Result<u64> {
    let statement = "select heirloom.idempotent_expire() as gone";
    let rows = trip::ask(client, trip::SERVE_NONE, statement, &[]).await?;
    let gone: i64 = rows.first().map_or(Ok(0), |row| row.try_get("gone"))?;
    Ok(gone.unsigned_abs())
}

fn check_key(key: &str) -> Result<()> {
    if !key.trim().is_empty() && key.len() <= MAX_KEY_BYTES && !key.chars().any(char::is_control) {
        return Ok(());
    }
    Err(check::invalid(
        "idempotency_key",
        format!("{} bytes", key.len()),
        format!("1 to {MAX_KEY_BYTES} bytes that are not blank and hold no control character"),
    ))
}

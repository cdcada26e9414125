//! One width for the vectors of a model in a namespace. The first one who writes says it, `heirloom reembed` changes it; the
//! database holds it (`heirloom.model_width`), and here its refusal gets the words of the other refusals.

use deadpool_postgres::Transaction;

use crate::check::invalid;
use crate::error::{Result, StoreError};

/// What `heirloom.refuse_width` calls the rule.
const RULE: &str = "model_width";

/// Refuses a vector of `found` numbers where the model has vectors of another width in the namespace, and holds the width
/// until the transaction ends.
///
/// # Errors
/// [`StoreError::Invalid`] names the field.
pub(crate) async fn hold(tx: &Transaction<'_>, namespace: &str, model: &str, found: usize) -> Result<()> {
    let width = i32::try_from(found).unwrap_or(i32::MAX);
    let row = tx.query_one("select heirloom.model_width($1, $2, $3)", &[&namespace, &model, &width]).await?;
    let kept: i32 = row.try_get(0)?;
    if kept == width { Ok(()) } else { Err(other(found, &kept.to_string())) }
}

/// The database's refusal of a vector of `found` numbers, as that of a field; any other error as it is.
pub(crate) fn refused(error: StoreError, found: Option<usize>) -> StoreError {
    let StoreError::Database(refusal) = &error else { return error };
    let db = refusal.as_db_error().filter(|db| db.constraint() == Some(RULE));
    match (db.and_then(|db| db.detail()), found) {
        (Some(accepted), Some(found)) => other(found, accepted),
        _ => error,
    }
}

fn other(found: usize, accepted: &str) -> StoreError {
    invalid(
        "embedding",
        format!("{found} dimensions"),
        format!(
            "the {accepted} that vectors of its model have in this namespace; a model of another width has another name"
        ),
    )
}

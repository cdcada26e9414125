//! Entities of one name: pgmnemo's unique index takes one open entity of a `canonical_name` in a project. What it would refuse
//! is found before anything is written; the server says itself what it takes for the same name.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use futures_util::TryStreamExt;
use heirloom_store::Memory;

use super::super::{Announced, Named, Predicted};
use super::QUESTION;
use crate::error::Result;

const NAMED: &str = include_str!("../../../sql/queries/pgmnemo_named.sql");
const NAMES: &str = include_str!("../../../sql/queries/pgmnemo_names.sql");

/// Keys that are told, of all namesakes.
const TOLD: usize = 5;

/// The name under which an open entity stands alone in its project; `None` for all else. Our own door has no such index.
pub(in super::super) fn name(memory: &Memory, is_ours: bool) -> Option<(String, Option<i32>)> {
    let is_open_entity =
        memory.content_type.as_deref() == Some("entity") && memory.is_active && memory.valid_to.is_none();
    if is_ours || !is_open_entity {
        return None;
    }
    let name = memory.metadata.as_ref()?.get("canonical_name").filter(|name| !name.is_null())?;
    Some((name.to_string(), memory.project_id))
}

#[derive(Default)]
struct Namesakes<'a> {
    coming: Vec<&'a Named>,
    there: u64,
}

/// Counts the rows among these, which are not there yet, whose name another one has, and those there already.
pub(super) async fn predict<'a>(
    tx: &Transaction<'_>,
    coming: impl Iterator<Item = &'a Announced>,
    predicted: &mut Predicted,
) -> Result<()> {
    let coming: Vec<&Named> = coming.filter_map(|row| row.named.as_deref()).collect();
    let mut namesakes: HashMap<(String, i32), Namesakes<'_>> = HashMap::new();
    for some in coming.chunks(QUESTION) {
        let names: Vec<&str> = some.iter().map(|named| named.name.as_str()).collect();
        for (named, row) in some.iter().zip(tx.query(NAMES, &[&names]).await?) {
            namesakes.entry((row.try_get(0)?, named.project.unwrap_or(-1))).or_default().coming.push(named);
        }
    }
    if namesakes.is_empty() {
        return Ok(());
    }
    let none: [&str; 0] = [];
    let stream = tx.query_raw(NAMED, none).await?;
    futures_util::pin_mut!(stream);
    while let Some(row) = stream.try_next().await? {
        if let Some(like) = namesakes.get_mut(&(row.try_get(0)?, row.try_get(1)?)) {
            like.there += 1;
        }
    }
    let mut keys: Vec<&[String]> = Vec::new();
    for like in namesakes.values().filter(|like| like.coming.len() as u64 + like.there > 1) {
        predicted.namesakes += like.coming.len() as u64 + like.there;
        predicted.namesakes_there += like.there;
        keys.extend(like.coming.iter().map(|named| named.key.as_slice()));
    }
    // Short ones first, so that numbers stand in theirs.
    keys.sort_by_key(|key| (key.concat().len(), *key));
    predicted.namesake_keys = keys.into_iter().take(TOLD + 1).map(|key| key.join(", ")).collect();
    Ok(())
}

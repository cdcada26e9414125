//! What the close-prior trigger and the index of names would do to rows that will be handed down: one pass over the target, nothing written.

use std::collections::{HashMap, HashSet};

use futures_util::TryStreamExt;
use heirloom_engine::Database;
use uuid::Uuid;

use super::super::{Announced, Predicted};
use super::{carry, named, settle, unmark};
use crate::error::Result;

const STANDING: &str = include_str!("../../../sql/queries/pgmnemo_standing.sql");

/// Rows of one kind.
#[derive(Debug, Default)]
struct Like {
    coming: u64,
    open: u64,
    theirs: u64,
    project: Option<Option<i32>>,
    across: bool,
}

impl Like {
    fn of(&mut self, project: Option<i32>) {
        self.across |= self.project.is_some_and(|known| known != project);
        self.project = Some(project);
    }
}

pub(super) async fn predict(database: &Database, rows: &[Announced]) -> Result<Predicted> {
    let announced: HashSet<Uuid> = rows.iter().map(|row| row.id).collect();
    // Whether our own door is asked shows in the hashes alone: they were made with the project or without.
    let wanted: HashSet<[u8; 16]> = rows.iter().filter_map(|row| Some(row.closing.as_ref()?.hash)).collect();
    let mut there: HashSet<Uuid> = HashSet::new();
    let mut like: HashMap<[u8; 16], Like> = HashMap::new();
    let mut client = database.client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    settle(&tx).await?;
    {
        let none: [&str; 0] = [];
        let stream = tx.query_raw(STANDING, none).await?;
        futures_util::pin_mut!(stream);
        while let Some(row) = stream.try_next().await? {
            let (mark, compared, project): (Option<&str>, Option<&str>, Option<i32>) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            there.extend(mark.and_then(unmark).filter(|id| announced.contains(id)));
            // Open ones alone say what they are compared by.
            let Some(compared) = compared else { continue };
            for hash in [carry::hash(compared, None), carry::hash(compared, project)] {
                if wanted.contains(&hash) {
                    let like = like.entry(hash).or_default();
                    like.open += 1;
                    like.theirs += 1;
                    like.of(project);
                    break;
                }
            }
        }
    }
    for row in rows.iter().filter(|row| !there.contains(&row.id)) {
        let Some(closing) = &row.closing else { continue };
        let like = like.entry(closing.hash).or_default();
        like.coming += 1;
        like.open += u64::from(closing.open);
        like.of(closing.project);
    }
    let mut predicted = Predicted { present: there.len() as u64, ..Predicted::default() };
    for like in like.values().filter(|like| like.coming > 0 && like.open > 0 && like.coming + like.theirs > 1) {
        predicted.colliding += like.coming + like.theirs;
        predicted.theirs += like.theirs;
        predicted.closed += like.open - 1;
        predicted.across += if like.across { like.coming + like.theirs } else { 0 };
    }
    named::predict(&tx, rows.iter().filter(|row| !there.contains(&row.id)), &mut predicted).await?;
    Ok(predicted)
}

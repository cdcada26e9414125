//! The way back: a renamed table is renamed again, a dropped one is made again from its archive; the run soaks on.

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use super::alive::Alive;
use super::archive::{ArchiveMark, Manifest};
use super::postgres;
use super::roles;
use super::run::{Phase, Renamed, none_pending, phase, writable};
use crate::audit::Head;
use crate::error::{MigrateError, Result};
use crate::failpoint::Point;
use crate::ledger::{self, RunState};
use crate::soak::{Standing, Task};

/// What came back.
#[derive(Debug, Clone, Serialize)]
pub struct Unretired {
    /// The migration's name.
    pub name: String,
    /// The table, under the name it always had.
    pub table: String,
    /// Whether it was dropped, so that it was made again from the archive.
    pub from_archive: bool,
    /// Rows that the archive had counted.
    pub rows: u64,
    /// Statements of the archive that could not be done any more, or not as they were: of publications that are gone since, or
    /// another's by now, and of roles that are gone and were named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Where the run stands.
    pub state: RunState,
    /// The end of the chain; what it was when nothing was written.
    pub head: Option<Head>,
}

/// Brings a retired table back, byte for byte. `manifest` is where the archive's manifest lies; what roles that are gone had on
/// it is left out where `without` names them.
///
/// # Errors
/// [`MigrateError::Refused`] when nothing is retired, another table has taken the name, the archive is not whole, or it
/// speaks of a role that is gone and not named.
pub async fn unretire(task: &Task<'_>, manifest: &Path, without: &[String]) -> Result<Unretired> {
    let standing = Standing::of(task, true).await?;
    let phase = phase(&standing);
    if phase == Phase::Waiting {
        none_pending(task, &standing).await?;
        return Err(nothing(&standing));
    }
    let (Some(retired), Some(archived)) = (standing.newest("retired"), standing.newest("archived")) else {
        return Err(nothing(&standing));
    };
    let (renamed, mark): (Renamed, ArchiveMark) = (retired.read()?, archived.read()?);
    let (from_archive, left_out) = back(task, &renamed, &mark, manifest, phase, without).await?;
    let mut unretired = Unretired {
        name: standing.run.name.clone(),
        table: renamed.table.clone(),
        from_archive,
        rows: mark.rows,
        left_out,
        state: standing.run.state,
        head: standing.head(),
    };
    if task.check_only {
        return Ok(unretired);
    }
    let mut client = task.store.database().client().await?;
    let tx = client.transaction().await?;
    ledger::lock_head(&tx, task.plan.run_id, standing.head().as_ref()).await?;
    let by = standing.stamp(task);
    let payload = json!({ "table": renamed.table, "from_archive": from_archive });
    let entry = ledger::append(&tx, task.plan.run_id, &by, "unretired", &payload).await?;
    let payload = standing.beginning(Some(&entry.hash));
    let entry = ledger::append(&tx, task.plan.run_id, &by, "soaking", &payload).await?;
    ledger::step(&tx, task.plan.run_id, RunState::Soaking, &json!({ "from_archive": from_archive })).await?;
    task.failpoints.pass(Point::BeforeUnretired).await?;
    tx.commit().await?;
    task.failpoints.pass(Point::AfterUnretired).await?;
    unretired.state = RunState::Soaking;
    unretired.head = Some(entry.head());
    Ok(unretired)
}

/// Puts the table back; gives back whether from the archive, and what of that was left out. When only looking, what would be made is made and rolled back.
async fn back(
    task: &Task<'_>,
    renamed: &Renamed,
    mark: &ArchiveMark,
    place: &Path,
    phase: Phase,
    without: &[String],
) -> Result<(bool, Vec<String>)> {
    let database = writable(task)?;
    let mut client = database.client().await?;
    let tx = client.transaction().await?;
    postgres::see_all(&tx).await?;
    let (there, kept) =
        (postgres::find(&tx, &renamed.table, None).await?, postgres::find(&tx, &renamed.renamed, None).await?);
    match (there, kept) {
        (Some(_), Some(_)) => Err(taken(&renamed.table)),
        (None, Some(kept)) => {
            if !kept.is_owner || !kept.may_create {
                return Err(MigrateError::Refused {
                    what: format!(
                        "This role may not rename {}: it does not own it, or may not create in its schema",
                        kept.qualified
                    ),
                    cure: "use a role that may for the source's URL; nothing was changed".into(),
                });
            }
            if !task.check_only {
                let name = name_of(&renamed.table)?;
                tx.batch_execute("set local lock_timeout = '5s'").await?;
                tx.batch_execute(&format!("alter table {} rename to {name}", kept.qualified)).await?;
                commit(tx, task).await?;
            }
            Ok((false, Vec::new()))
        }
        (there, None) => {
            // Renamed back by a process that ended before it could say so: the very table, whatever was done to it since.
            if there.as_ref().is_some_and(|there| renamed.oid == Some(there.oid)) {
                return Ok((false, Vec::new()));
            }
            let mut manifest = Manifest::read(place, mark)?;
            // Nobody watches the way back.
            let mut quiet = |_, _| {};
            let mut alive = Alive::new(manifest.rows, &mut quiet);
            if let Some(there) = there {
                // Made again by a process that ended before it could say so; anything else of the name is not ours.
                let digest = postgres::digest(&tx, &there.qualified, &manifest, &mut alive).await;
                let same = digest.is_ok_and(|digest| digest == manifest.stream_digest);
                let from_archive = renamed.oid.is_some() || phase == Phase::Dropped;
                return if same { Ok((from_archive, Vec::new())) } else { Err(taken(&renamed.table)) };
            }
            let mut left_out = roles::leave_out(&tx, &mut manifest, without).await?;
            let publications =
                postgres::restore(&tx, &manifest, place, &[&manifest.schema], i32::MAX, &mut alive).await?;
            if postgres::digest(&tx, &renamed.table, &manifest, &mut alive).await? != manifest.stream_digest {
                return Err(MigrateError::Refused {
                    what: format!("The rows that came back are not those of the archive of {}", renamed.table),
                    cure: "nothing was made; keep the archive and tell us what kind of columns the table has".into(),
                });
            }
            left_out.extend(publications);
            match task.check_only {
                true => tx.rollback().await?,
                false => commit(tx, task).await?,
            }
            Ok((true, left_out))
        }
    }
}

/// From here on the table is back.
async fn commit(tx: deadpool_postgres::Transaction<'_>, task: &Task<'_>) -> Result<()> {
    task.failpoints.pass(Point::BeforeReturn).await?;
    tx.commit().await?;
    task.failpoints.pass(Point::AfterReturn).await
}

/// The last part of a qualified name, quoted where it has to be.
fn name_of(qualified: &str) -> Result<&str> {
    dot(qualified)
        .map(|dot| &qualified[dot + 1..])
        .ok_or_else(|| MigrateError::Ledger("a retired table has no schema".into()))
}

/// Where the dot between schema and name is, outside quotes.
fn dot(qualified: &str) -> Option<usize> {
    let mut quoted = false;
    qualified.char_indices().find_map(|(at, character)| {
        quoted ^= character == '"';
        (character == '.' && !quoted).then_some(at)
    })
}

fn nothing(standing: &Standing) -> MigrateError {
    MigrateError::Refused {
        what: format!("{} is {}, and nothing of it is retired", standing.run.name, standing.run.state.text()),
        cure: "there is nothing to bring back".into(),
    }
}

fn taken(table: &str) -> MigrateError {
    MigrateError::Refused {
        what: format!("Another table is called {table} by now"),
        cure: "rename that one, then run `heirloom unretire` again; nothing was changed".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::dot;

    #[test]
    fn the_dot_between_schema_and_name_is_outside_quotes() {
        assert_eq!(dot("public.notes"), Some(6));
        assert_eq!(dot(r#""a.b"."c.d""#), Some(5));
        assert_eq!(dot(r#""a"".b".c"#), Some(7));
        assert_eq!(dot("notes"), None);
    }
}

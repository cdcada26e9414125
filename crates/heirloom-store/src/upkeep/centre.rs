//! The centre of a model's vectors: their mean, around which each vector's signs are taken.
//!
//! Looking at a new centre rewrites every row of the model, so a centre is kept as long as it is good enough: the first one is
//! taken from the first vectors of a load, before they are written, and a later mean replaces it only where it lies far enough
//! away to turn signs over.

use deadpool_postgres::Transaction;
use heirloom_engine::Client;
use tokio_postgres::error::SqlState;

use super::room::as_audit;
use crate::error::Result;
use crate::schema::{AUDIT_ROLE, Meta};
use crate::scope::{Access, Scope};
use crate::store::Store;

/// Fewest vectors a centre is taken over. Below, vectors are compared as they are.
pub(super) const FEWEST_VECTORS: i64 = 64;

/// The mean is looked at anew when there are this many times the vectors there were.
pub(super) const GROWTH: i64 = 8;

/// How far a mean may lie from the centre, as a share of the vectors' own distance from it.
const DRIFT: f64 = 0.15;

/// A model's mean was looked at, and its centre stays.
const LOOKED_AT: &str = "update heirloom.model set vectors = $2 where name = $1";

/// A model whose centre is due.
pub(super) struct Model {
    pub(super) name: String,
    /// Vectors of it.
    pub(super) vectors: i64,
}

/// What came of looking at a model.
pub(super) enum Centred {
    /// It got a centre, or a new one.
    Anew,
    /// The one it has is good enough.
    Stays,
    /// This database user may not keep one.
    Refused,
}

impl Store {
    /// Gives a model its first centre, from vectors that are about to be written; nothing when it has one, when they are too
    /// few, or when this user may not keep one, and then upkeep does it later.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`].
    pub async fn first_centre(&self, model: &str, vectors: &[&[f32]]) -> Result<()> {
        let count = i64::try_from(vectors.len()).unwrap_or(i64::MAX);
        if count < FEWEST_VECTORS {
            return Ok(());
        }
        let mut sum = vec![0_f64; self.meta().dimension];
        for vector in vectors {
            for (sum, value) in sum.iter_mut().zip(*vector) {
                *sum += f64::from(*value);
            }
        }
        let mean: Vec<String> = sum.iter().map(|sum| (sum / count as f64).to_string()).collect();
        let mean = format!("[{}]", mean.join(","));
        let mut client = self.database().client().await?;
        let tx = client.transaction().await?;
        tx.execute("select set_config('search_path', $1, true)", &[&self.meta().search_path()]).await?;
        if keep(&tx, model, &mean, count, false).await? {
            tx.commit().await?;
        }
        Ok(())
    }
}

/// The models whose centre is due.
pub(super) async fn due(client: &mut Client) -> Result<Vec<Model>> {
    let tx = as_audit(client).await?;
    let rows = tx.query(include_str!("../../sql/queries/upkeep/models.sql"), &[&FEWEST_VECTORS, &GROWTH]).await?;
    tx.commit().await?;
    rows.iter().map(|row| Ok(Model { name: row.try_get("name")?, vectors: row.try_get("vectors")? })).collect()
}

/// Takes the mean of a model's vectors; where that lies too far from its centre, every vector of the model looks at it.
pub(super) async fn take(client: &mut Client, meta: &Meta, model: &Model) -> Result<Centred> {
    let tx = client.build_transaction().start().await?;
    // The operators of vectors, wherever pgvector lives.
    tx.execute("select set_config('search_path', $1, true)", &[&meta.search_path()]).await?;
    tx.batch_execute(&format!("set local role {AUDIT_ROLE}")).await?;
    let row = tx.query_one(include_str!("../../sql/queries/upkeep/centre.sql"), &[&model.name]).await?;
    let centre: String = row.try_get("centre")?;
    let (moved, spread): (Option<f64>, Option<f64>) = (row.try_get("moved")?, row.try_get("spread")?);
    let stays = moved.zip(spread).is_some_and(|(moved, spread)| moved <= spread * DRIFT);
    let namespaces = match stays {
        true => Vec::new(),
        false => tx.query(include_str!("../../sql/queries/upkeep/namespaces_of.sql"), &[&model.name]).await?,
    };
    tx.batch_execute("set local role none").await?;
    let kept = match stays {
        true => allowed(tx.execute(LOOKED_AT, &[&model.name, &model.vectors]).await)?,
        false => keep(&tx, &model.name, &centre, model.vectors, true).await?,
    };
    if !kept {
        return Ok(Centred::Refused);
    }
    tx.commit().await?;
    if stays {
        return Ok(Centred::Stays);
    }
    for row in namespaces {
        let namespace: String = row.try_get("namespace")?;
        let tx = Scope::one(&namespace)?.begin(client, Access::Write).await?;
        tx.execute(include_str!("../../sql/queries/upkeep/recentre.sql"), &[&namespace, &model.name]).await?;
        tx.commit().await?;
    }
    Ok(Centred::Anew)
}

/// Writes a centre, in place of one that is there or where there is none; `false` when this user may not.
async fn keep(tx: &Transaction<'_>, model: &str, centre: &str, vectors: i64, anew: bool) -> Result<bool> {
    let sql = include_str!("../../sql/queries/upkeep/keep_centre.sql");
    allowed(tx.execute(sql, &[&model, &centre, &vectors, &anew]).await)
}

/// Whether a statement was allowed.
fn allowed(done: std::result::Result<u64, tokio_postgres::Error>) -> Result<bool> {
    match done {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(false),
        done => Ok(done.map(|_| true)?),
    }
}

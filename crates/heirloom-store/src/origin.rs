//! The origin of a migrated memory, whole: the source row as it was kept, and the digests that prove it.

use tokio_postgres::Row;

use crate::error::{Result, StoreError};
use crate::memory::{Moment, Origin};
use crate::record::Record;
use crate::scope::{Access, Scope};
use crate::show::Show;
use crate::store::Store;

impl Store {
    /// A memory of the scope with the origin it was handed down from and when; `None` for one that was born here.
    ///
    /// # Errors
    /// As [`Store::show`].
    pub async fn origin(&self, scope: &Scope, request: &Show) -> Result<(Record, Option<(Origin, Moment)>)> {
        let memory = self.show(scope, request).await?.memory;
        let client = self.database().client().await?;
        let statement = include_str!("../sql/queries/origin.sql");
        let rows = scope.ask(&client, Access::Read, statement, &[&memory.id, &memory.namespace]).await?;
        let origin = rows.first().map(from_row).transpose()?;
        Ok((memory, origin))
    }
}

fn from_row(row: &Row) -> Result<(Origin, Moment)> {
    let digest = |name: &str| -> Result<[u8; 16]> {
        let bytes: &[u8] = row.try_get(name)?;
        bytes.try_into().map_err(|_| StoreError::Conflict(format!("The {name} of an origin is not 16 bytes long")))
    };
    let origin = Origin {
        run_id: row.try_get("run_id")?,
        source: row.try_get("source")?,
        source_key: row.try_get("source_key")?,
        source_row: row.try_get("source_row")?,
        source_digest: digest("source_digest")?,
        written_digest: digest("written_digest")?,
    };
    Ok((origin, row.try_get("handed_down_at")?))
}

//! What the roles of the cluster may do in a schema: what this binary's objects make of it, and what the catalog says.
//!
//! Roles belong to no database. A dump restored on a server that lacks them comes without policies and grants, while the
//! hashes in it say that every object was applied; so `up` and `doctor` ask the catalog and not the hashes.

use std::collections::HashSet;

use tokio_postgres::GenericClient;

use super::Catalog;
use crate::error::Result;

/// What [`present`] says of a schema that has one of our names and is somebody else's.
const FOREIGN: &str = "is not Heirloom's";

impl Catalog {
    /// The lines of [`Catalog::rights`] that the catalog does not bear out, as
    /// `heirloom: policy audit on memory for select to heirloom_audit`. Nothing where the schema is not installed, and
    /// nothing of a schema that is somebody else's. Reads only.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn missing_rights(&self, client: &impl GenericClient) -> Result<Vec<&'static str>> {
        if self.version(client).await?.is_none() {
            return Ok(Vec::new());
        }
        let present = present(client, &schemas(self.rights)).await?;
        let foreign: HashSet<&str> = present.iter().filter_map(|line| line.strip_suffix(FOREIGN)).collect();
        Ok(lines(self.rights)
            .filter(|line| !present.contains(*line))
            .filter(|line| !foreign.iter().any(|home| line.starts_with(home)))
            .collect())
    }
}

fn lines(rights: &'static str) -> impl Iterator<Item = &'static str> {
    rights.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

fn schemas(rights: &'static str) -> Vec<&'static str> {
    let mut schemas: Vec<&str> = lines(rights).filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    schemas.dedup();
    schemas
}

async fn present(client: &impl GenericClient, schemas: &[&str]) -> Result<HashSet<String>> {
    let rows = client.query(include_str!("../../sql/queries/schema/rights.sql"), &[&schemas]).await?;
    rows.iter().map(|row| Ok(row.try_get("line")?)).collect()
}

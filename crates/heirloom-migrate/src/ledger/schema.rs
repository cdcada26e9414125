//! Installing the ledger, by the store's own mechanism.

use deadpool_postgres::GenericClient;
use heirloom_engine::Cached;
use heirloom_engine::Database;
use heirloom_store::schema::Catalog;
use heirloom_store::sql_file;

use crate::error::Result;

/// Newest version of the ledger's schema that this binary knows.
pub const VERSION: u32 = 7;

const CATALOG: Catalog = Catalog {
    schema: "heirloom_migrate",
    migrations: &[
        sql_file!("migrations/0001_ledger.sql"),
        sql_file!("migrations/0002_restored.sql"),
        sql_file!("migrations/0003_lease.sql"),
        sql_file!("migrations/0004_audit.sql"),
        sql_file!("migrations/0005_look.sql"),
        sql_file!("migrations/0006_delivered.sql"),
        sql_file!("migrations/0007_home.sql"),
    ],
    objects: &[
        sql_file!("objects/functions/audit_hash.sql"),
        sql_file!("objects/functions/audit_append.sql"),
        sql_file!("objects/functions/audit_stays.sql"),
        sql_file!("objects/functions/run_step.sql"),
        sql_file!("objects/triggers/audit_append.sql"),
        sql_file!("objects/triggers/audit_stays.sql"),
        sql_file!("objects/triggers/run_step.sql"),
        sql_file!("objects/grants/admin.sql"),
    ],
    rights: include_str!("../../rights.txt"),
};

/// Installs or upgrades the ledger. Nothing is written when it is current.
pub async fn up(database: &Database) -> Result<()> {
    let mut client = database.client().await?;
    CATALOG.up(&mut client).await?;
    Ok(())
}

/// [`up`] where the ledger is not current: for who needs it there, and comes often.
pub async fn ensure(database: &Database) -> Result<()> {
    let is_current = {
        let client = database.client().await?;
        let pg: &tokio_postgres::Client = &client;
        CATALOG.is_current(pg).await?
    };
    if is_current { Ok(()) } else { up(database).await }
}

/// The grants that [`up`] would put back, a line each; none where there is no ledger.
///
/// # Errors
/// When the database does not answer.
pub async fn missing_rights(database: &Database) -> Result<Vec<&'static str>> {
    let client = database.client().await?;
    let pg: &tokio_postgres::Client = &client;
    Ok(CATALOG.missing_rights(pg).await?)
}

/// Whether there is a ledger, without writing.
pub async fn exists(client: &impl GenericClient) -> Result<bool> {
    Ok(client.query_one_cached("select to_regclass('heirloom_migrate.run') is not null", &[]).await?.try_get(0)?)
}

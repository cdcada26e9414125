//! Whether a tenant's identity can read another tenant's rows: asked of the database, with the rights it really has.
//!
//! At a source, each tenant's own connection is asked once which of the other tenants' roles may read its table; where one
//! may, or where that connection gives no answer, that role tries it itself, with its own credential. No credential is shown to
//! a server it was not given for. In the store it is the policy that is tried, as the serving role bound to the tenant's namespaces.

use std::time::Duration;

use heirloom_engine::{Cached, Database, EngineError, Location, Options, Refusal, Trouble};
use heirloom_store::schema::SERVE_ROLE;

use crate::error::{MigrateError, Result};
use crate::source::{Identity, Relation, literal};

const HOLDERS: &str = include_str!("../../sql/queries/fleet_holders.sql");
const ROLES: &str = include_str!("../../sql/queries/fleet_roles.sql");
const WHO_MAY_READ: &str = include_str!("../../sql/queries/fleet_who_may_read.sql");
const SEEN_BEYOND: &str = include_str!("../../sql/queries/fleet_seen_beyond.sql");

/// Relations that are asked for with one statement.
const TOGETHER: usize = 64;

/// A role, as far as it decides whose rows it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Its name.
    pub role: String,
    /// Superuser?
    pub superuser: bool,
    /// Bypasses row-level security?
    pub bypass_rls: bool,
}

impl From<&Identity> for Reader {
    fn from(Identity { role, superuser, bypass_rls, .. }: &Identity) -> Self {
        Self { role: role.clone(), superuser: *superuser, bypass_rls: *bypass_rls }
    }
}

/// What a tenant's own connection says of its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Who reads.
    pub me: Reader,
    /// Which of the roles asked about may read it too; none of a table that is not there.
    pub readers: Vec<String>,
    /// The server by its own account, whatever it is called by; absent where it does not tell this role.
    pub system: Option<String>,
}

/// What came of reading another tenant's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The server refused.
    Refused,
    /// It may ask, and no row comes back.
    Nothing,
    /// A row came back.
    Read,
    /// There is no such table: what the server says of it.
    Absent(String),
    /// It could not be found out.
    Unclear(String),
}

/// What stands behind `from` for a relation whose table is known by its qualified name.
pub fn from(relation: &Relation, qualified: &str) -> String {
    match relation {
        Relation::Table(_) => qualified.to_owned(),
        Relation::Query(query) => format!("({}\n)", query.trim_end().trim_end_matches(';')),
    }
}

/// Asks as a tenant who it is and which of `roles`, in order, may read its relation. Reads only; holds one connection.
///
/// # Errors
/// What the server refuses.
pub async fn ask(database: &Database, relation: &Relation, qualified: &str, roles: &[String]) -> Result<Asked> {
    let client = database.client().await?;
    let failed = |error: tokio_postgres::Error| MigrateError::ReadRefused {
        source_name: database.display(),
        refusal: Refusal::of(&error),
    };
    let sql = format!("select * from {} as q limit 0", from(relation, qualified));
    let mut oids: Vec<u32> = match client.prepare(&sql).await {
        Ok(statement) => statement.columns().iter().filter_map(tokio_postgres::Column::table_oid).collect(),
        // A table that is retired, or that this role may not read, says nothing of others; who asks is known all the same.
        Err(error) if matches!(Refusal::of(&error).trouble, Trouble::Undefined | Trouble::Rights) => Vec::new(),
        Err(error) => return Err(failed(error)),
    };
    oids.sort_unstable();
    oids.dedup();
    let mut holders: Vec<u32> = Vec::new();
    for row in client.query(HOLDERS, &[&oids]).await.map_err(failed)? {
        holders.push(row.try_get(0).map_err(failed)?);
    }
    holders.sort_unstable();
    holders.dedup();
    let (mut me, mut may_see_system, mut able) = (None, false, Vec::new());
    for row in client.query(ROLES, &[&holders]).await.map_err(failed)? {
        let role: String = row.try_get("role").map_err(failed)?;
        if row.try_get("is_me").map_err(failed)? {
            may_see_system = row.try_get("may_see_system").map_err(failed)?;
            let superuser = row.try_get("superuser").map_err(failed)?;
            me = Some(Reader { role, superuser, bypass_rls: row.try_get("bypass_rls").map_err(failed)? });
        } else if roles.binary_search(&role).is_ok() {
            able.push(role);
        }
    }
    let me = me.ok_or_else(|| MigrateError::Source {
        source_name: database.display(),
        what: "the server does not list the role that asks".into(),
        accepted: "a role of pg_catalog.pg_roles".into(),
    })?;
    let system = match may_see_system {
        true => {
            let sql = "select system_identifier::text from pg_catalog.pg_control_system()";
            Some(client.query_one(sql, &[]).await.map_err(failed)?.try_get(0).map_err(failed)?)
        }
        false => None,
    };
    let readers = match able.is_empty() {
        true => Vec::new(),
        false => {
            let rows = client.query(WHO_MAY_READ, &[&able, &oids]).await.map_err(failed)?;
            rows.iter().map(|row| row.try_get(0)).collect::<std::result::Result<_, _>>().map_err(failed)?
        }
    };
    Ok(Asked { me, readers, system })
}

/// Tries to read a row of each of these relations with a credential that should not: `url` is that of the trying tenant,
/// `database` is where the rows lie, on the same server, each relation with the qualified name of its table. Gives back what
/// came of each, in their order, and stops at the first of which a row came back. One connection; `sign` is called as it goes.
pub async fn try_read(
    url: &str,
    database: &str,
    relations: &[(Relation, String)],
    patience: Duration,
    sign: &mut (dyn FnMut() + Send),
) -> Vec<Tried> {
    let silent = || Tried::Unclear(format!("the server did not answer within {} s", patience.as_secs_f32()));
    let options = Options { pool_size: 1, application_name: "heirloom leak probe".into(), ..Options::default() };
    let location = Location::Server(heirloom_engine::with_database(url, database));
    let there = match tokio::time::timeout(patience, Database::open(&location, &options)).await {
        Err(_) => return vec![silent(); relations.len()],
        Ok(Err(error)) => return vec![refused(&error.into()); relations.len()],
        Ok(Ok(there)) => there,
    };
    let mut tried = Vec::with_capacity(relations.len());
    let mut waiting: Vec<&[(Relation, String)]> = relations.chunks(TOGETHER).rev().collect();
    while let Some(some) = waiting.pop() {
        sign();
        match tokio::time::timeout(patience, read(&there, some)).await {
            Ok(Ok(found)) => tried.extend(found.iter().map(|read| if *read { Tried::Read } else { Tried::Nothing })),
            // One that is refused refuses all that are asked for with it: each half is asked for itself.
            Ok(Err(_)) if some.len() > 1 => {
                let (first, second) = some.split_at(some.len() / 2);
                waiting.extend([second, first]);
            }
            Ok(Err(error)) => tried.push(refused(&error)),
            Err(_) => {
                tried.resize(relations.len(), silent());
                break;
            }
        }
        if tried.contains(&Tried::Read) {
            break;
        }
    }
    // Nothing hangs on how it ends.
    let _ = there.close().await;
    tried
}

fn refused(error: &MigrateError) -> Tried {
    let trouble = match error {
        MigrateError::Target(error) | MigrateError::Engine(EngineError::Unreachable { source: Some(error), .. }) => {
            Refusal::of(error).trouble
        }
        _ => Trouble::Other,
    };
    match trouble {
        Trouble::Rights | Trouble::Login => Tried::Refused,
        Trouble::Undefined => Tried::Absent(error.to_string()),
        _ => Tried::Unclear(error.to_string()),
    }
}

/// Whether a row of each comes back.
async fn read(there: &Database, relations: &[(Relation, String)]) -> Result<Vec<bool>> {
    let asked: Vec<String> = relations
        .iter()
        .map(|(relation, qualified)| format!("exists (select from {} as q)", from(relation, qualified)))
        .collect();
    let mut client = there.client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    let row = tx.query_one(&format!("select array[{}]", asked.join(", ")), &[]).await?;
    Ok(row.try_get(0)?)
}

/// Whether the serving role, bound to these namespaces, sees a row of any other. Reads only; holds one connection.
///
/// # Errors
/// [`MigrateError::Target`] when the store refuses.
pub async fn sees_beyond(database: &Database, namespaces: &[String]) -> Result<bool> {
    let mut client = database.client().await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    // While a fleet fills a store, the planner's statistics know a few of its tenants and take one for a large part of all.
    let listed = literal(&namespaces.join(","));
    let begin = format!(
        "set local role {SERVE_ROLE}; set local enable_seqscan = off; set local heirloom.namespaces = {listed}"
    );
    tx.batch_execute(&begin).await?;
    let row = tx.query_one_cached(SEEN_BEYOND, &[&namespaces]).await?;
    let sees = row.try_get("sees")?;
    tx.rollback().await?;
    Ok(sees)
}

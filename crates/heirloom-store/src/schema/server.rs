//! What the server must offer, and the two roles of the cluster.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, GenericClient};

use super::files;
use crate::error::{Result, StoreError};

/// The role of all tenant work: owns nothing, is no superuser, has no BYPASSRLS.
pub const SERVE_ROLE: &str = "heirloom_serve";

/// The role that reads all tenants and writes nothing.
pub const AUDIT_ROLE: &str = "heirloom_audit";

/// pgvector's limit for the type `vector`.
const MAX_DIMENSION: usize = 16_000;

pub(super) fn check_dimension(dimension: usize) -> Result<()> {
    if (1..=MAX_DIMENSION).contains(&dimension) {
        return Ok(());
    }
    Err(StoreError::Invalid {
        field: "dimension",
        found: dimension.to_string(),
        accepted: format!("a width of 1 to {MAX_DIMENSION}"),
    })
}

/// Refuses a server that lacks something, and creates the extension where it is only not yet created.
pub(super) async fn require(client: &Client, language: &str) -> Result<()> {
    let row = client.query_one(include_str!("../../sql/queries/schema/server.sql"), &[&language]).await?;
    check_server(row.get("version_num"), row.get("version"))?;
    let encoding: &str = row.get("encoding");
    if encoding != "UTF8" {
        return Err(StoreError::Unsupported(format!(
            "a database of encoding UTF8; this one is {encoding}: make another with `create database … encoding \
             'UTF8' template template0`"
        )));
    }
    if language != "simple" && !row.get::<_, bool>("has_stemmer") {
        return Err(StoreError::Invalid {
            field: "language",
            found: format!("{language:?}"),
            accepted: "a language PostgreSQL has a Snowball stemmer for, as english or german, or simple".to_owned(),
        });
    }
    if check_pgvector(row.get("installed"), row.get("available"))? { Ok(()) } else { create_extension(client).await }
}

fn check_server(version_num: i32, version: &str) -> Result<()> {
    if version_num >= 150_000 {
        return Ok(());
    }
    Err(StoreError::Unsupported(format!("PostgreSQL 15 or newer; this is {version}")))
}

/// Whether the extension is there; `false` when it is only to be created.
fn check_pgvector(installed: Option<&str>, available: Option<&str>) -> Result<bool> {
    match (installed, available) {
        (Some(version), _) if recent_enough(version) => Ok(true),
        (None, Some(version)) if recent_enough(version) => Ok(false),
        (Some(version), available) => Err(StoreError::Unsupported(format!(
            "pgvector 0.7 or newer; this database has {version} and the server offers {}: install a newer pgvector on \
             the server where needed, then run `alter extension vector update`",
            available.unwrap_or("no other")
        ))),
        (None, Some(version)) => Err(StoreError::Unsupported(format!(
            "pgvector 0.7 or newer; the server offers {version}: install a newer pgvector on the server"
        ))),
        (None, None) => Err(StoreError::Unsupported(
            "the extension pgvector (0.7 or newer), which is not installed on the server: install it there (Debian and \
             Ubuntu: the package postgresql-NN-pgvector; managed servers: enable `vector`), then `heirloom up` creates \
             it, or an administrator runs `create extension vector`"
                .to_owned(),
        )),
    }
}

async fn create_extension(client: &Client) -> Result<()> {
    client.batch_execute("create extension if not exists vector").await.map_err(|error| {
        if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
            return StoreError::Rights(
                "This user may not create the extension pgvector: an administrator runs `create extension vector` in \
                 this database"
                    .to_owned(),
            );
        }
        StoreError::Database(error)
    })
}

fn recent_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (0, 7)
}

/// Creates the roles where they are missing and makes this user able to become them.
pub(super) async fn ensure_roles(client: &Client) -> Result<()> {
    if let Err(error) = client.batch_execute(files::ROLES.text).await {
        if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
            return Err(StoreError::Rights(format!(
                "This user may not create roles: an administrator runs `create role {SERVE_ROLE} nologin; create role \
                 {AUDIT_ROLE} nologin; create role heirloom_service nologin; create role heirloom_admin nologin; grant {SERVE_ROLE}, {AUDIT_ROLE} to` this user"
            )));
        }
        return Err(error.into());
    }
    for role in roles(client).await?.into_iter().filter(|role| !role.may_become) {
        // From PostgreSQL 16 on without inheriting, so that the owner's own reads stay under the policies.
        let granted = client
            .batch_execute(&format!(
                "do $$ begin
                     if current_setting('server_version_num')::integer >= 160000 then
                         execute 'grant {name} to current_user with inherit false, set true';
                     else
                         execute 'grant {name} to current_user';
                     end if;
                 end $$",
                name = role.name
            ))
            .await;
        // Whether it helped is what `check_roles` says, with what to do.
        if let Err(error) = granted {
            tracing::debug!(role = role.name, code = ?error.code(), "the role could not be granted");
        }
    }
    Ok(())
}

/// Refuses roles that would make row-level security worthless, or that this user cannot become.
pub(crate) async fn check_roles(client: &impl GenericClient) -> Result<()> {
    let found = roles(client).await?;
    for wanted in [SERVE_ROLE, AUDIT_ROLE] {
        let Some(role) = found.iter().find(|role| role.name == wanted) else {
            return Err(StoreError::Rights(format!("The role {wanted} is gone: run `heirloom up`")));
        };
        if role.is_super || role.bypasses {
            return Err(StoreError::Rights(format!(
                "The role {wanted} is a superuser or has BYPASSRLS, so row-level security would not hold: an \
                 administrator runs `alter role {wanted} nosuperuser nobypassrls`"
            )));
        }
        if role.owns {
            return Err(StoreError::Rights(format!(
                "The role {wanted} owns tables of the store and could lift their policies: an administrator runs \
                 `reassign owned by {wanted} to` the store's owner"
            )));
        }
        if role.serves_all {
            return Err(StoreError::Rights(format!(
                "The role {wanted} is a member of heirloom_service, which sees every tenant: an administrator runs \
                 `revoke heirloom_service from {wanted}`"
            )));
        }
        if !role.may_become {
            return Err(StoreError::Rights(format!(
                "This user may not become {wanted}: an administrator runs `grant {wanted} to` this user"
            )));
        }
    }
    Ok(())
}

struct Role {
    name: String,
    is_super: bool,
    bypasses: bool,
    owns: bool,
    may_become: bool,
    serves_all: bool,
}

async fn roles(client: &impl GenericClient) -> Result<Vec<Role>> {
    let rows = client.query(include_str!("../../sql/queries/schema/roles.sql"), &[]).await?;
    Ok(rows
        .iter()
        .map(|row| Role {
            name: row.get("name"),
            is_super: row.get("is_super"),
            bypasses: row.get("bypasses"),
            owns: row.get("owns"),
            may_become: row.get("may_become"),
            serves_all: row.get("serves_all"),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_pgvector_compare_as_numbers() {
        assert!(recent_enough("0.7.0") && recent_enough("0.10.1") && recent_enough("1.0"));
        assert!(!recent_enough("0.6.2") && !recent_enough("0.5") && !recent_enough("nonsense"));
    }

    #[test]
    fn postgresql_15_is_the_oldest_server_that_will_do() {
        assert!(check_server(150_000, "15.0").is_ok() && check_server(180_004, "18.4").is_ok());
        let said = check_server(149_999, "14.23 (Debian 14.23-1)").unwrap_err().to_string();
        assert!(said.contains("PostgreSQL 15 or newer; this is 14.23 (Debian 14.23-1)"), "{said}");
        assert!(check_server(90_624, "9.6.24").is_err() && check_server(0, "").is_err());
    }

    #[test]
    fn pgvector_is_there_or_to_be_created_or_it_is_said_what_to_install() {
        assert!(check_pgvector(Some("0.7.0"), Some("0.8.1")).unwrap() && check_pgvector(Some("0.7.0"), None).unwrap());
        assert!(!check_pgvector(None, Some("0.8.1")).unwrap());
        for (installed, available, what) in [
            (None, None, "which is not installed on the server: install it there"),
            (None, Some("0.6.2"), "the server offers 0.6.2: install a newer pgvector on the server"),
            (Some("0.6.2"), Some("0.8.1"), "this database has 0.6.2 and the server offers 0.8.1"),
            (Some("0.6.2"), None, "and the server offers no other"),
            (Some("0.6.2"), Some("0.8.1"), "run `alter extension vector update`"),
        ] {
            let said = check_pgvector(installed, available).unwrap_err().to_string();
            assert!(said.contains(what) && said.contains("pgvector"), "{said}");
        }
    }

    #[test]
    fn a_width_of_nothing_or_beyond_pgvector_is_refused() {
        assert!(check_dimension(1).is_ok() && check_dimension(16_000).is_ok());
        assert!(check_dimension(0).is_err() && check_dimension(16_001).is_err());
    }
}

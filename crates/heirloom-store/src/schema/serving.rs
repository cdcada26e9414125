//! Whether a connection may serve tenants: what its login could do past row-level security.
//!
//! A store is installed and upgraded as its owner and served as somebody else. The process sets the serving role for
//! each transaction, but a login that is more than that role could set it back; so a login is judged by all it could
//! become. Deliberately absent: the embedded engine, whose one user is its superuser and which no tenant reaches but
//! through this process.

use tokio_postgres::GenericClient;

use super::SERVE_ROLE;
use crate::error::{Result, StoreError};

/// Refuses a connection whose login no policy holds, naming the login and what to do: a superuser, a role with
/// BYPASSRLS, an owner of the store's tables, a member of one of those, and a login that may not become
/// [`SERVE_ROLE`]. Reads only. A door on a server asks this before it serves anybody.
///
/// # Errors
/// [`StoreError::MayNotServe`] for such a login; [`StoreError::Database`] when the server does not answer.
pub async fn check_serving(client: &impl GenericClient) -> Result<()> {
    let row = client.query_one(include_str!("../../sql/queries/schema/serving.sql"), &[]).await?;
    let login: String = row.try_get("login")?;
    let becomes_super: Option<String> = row.try_get("becomes_super")?;
    let becomes_owner: Option<String> = row.try_get("becomes_owner")?;
    let fault = if row.try_get("is_super")? {
        "is a superuser, whom no row-level security holds".to_owned()
    } else if row.try_get("bypasses")? {
        "has BYPASSRLS, so no row-level security holds it".to_owned()
    } else if let Some(role) = becomes_super {
        format!("is a member of {role}, which is a superuser or has BYPASSRLS, so no row-level security holds it")
    } else if let Some(owner) = becomes_owner.filter(|owner| *owner != login) {
        format!("is a member of {owner}, which owns the store and could lift its policies")
    } else if row.try_get::<_, Option<&str>>("becomes_owner")?.is_some() {
        "owns the store and could lift its policies".to_owned()
    } else if !row.try_get::<_, bool>("serves")? {
        format!("is no member of {SERVE_ROLE}")
    } else {
        return Ok(());
    };
    Err(StoreError::MayNotServe(format!(
        "The database user {login} may not serve tenants: it {fault}. Serve as a login of its own: an administrator \
         runs `create role heirloom_app login password '…'; grant heirloom_serve, heirloom_audit to heirloom_app`, and \
         the URL names heirloom_app; heirloom_admin, too, where tokens are made over HTTP. Only `heirloom up` needs the \
         owner"
    )))
}

//! For whom a request acts and what that workspace may do: the resolver's rules, asked anew with each request.

use axum::http::StatusCode;
use heirloom_store::{Lineage, NamespaceOf, Right, Scope, StoreError};

use crate::context::Context;
use crate::error::Error;
use crate::http::fault::Fault;

/// A workspace that somebody acts for.
pub(super) struct Acting {
    pub(super) lineage: Lineage,
    actor: Option<String>,
}

/// Refuses a caller who may not act for a workspace, whether or not there is one.
///
/// # Errors
/// 403.
pub(super) fn admit(context: &Context, workspace: &str, right: Right) -> Result<(), Fault> {
    let caller = context.caller();
    if !caller.allows(&format!("workspace:{workspace}")) {
        return Err(Fault::new(StatusCode::FORBIDDEN, "forbidden", "invalid workspace auth token"));
    }
    Ok(caller.require(right)?)
}

impl Acting {
    /// What the workspace may do now; `words` is how the platform says that nobody knows.
    ///
    /// # Errors
    /// 404 for a workspace that is not in the tree.
    pub(super) async fn of(context: &Context, workspace: &str, words: &str) -> Result<Self, Fault> {
        let store = context.store().await?;
        let lineage = store.lineage(workspace).await.map_err(|error| match error {
            StoreError::NotFound { .. } => {
                Fault::new(StatusCode::NOT_FOUND, "not-found", format!("{words}: workspace not found"))
            }
            other => Error::from(other).into(),
        })?;
        Ok(Self { lineage, actor: context.caller().actor() })
    }

    /// The scope of what it may write.
    pub(super) fn writable(&self) -> Result<Scope, Fault> {
        self.scope(&self.lineage.writable)
    }

    /// The scope of some namespaces.
    pub(super) fn scope<'a>(&self, of: impl IntoIterator<Item = &'a NamespaceOf>) -> Result<Scope, Fault> {
        let scope = Scope::new(of.into_iter().map(|namespace| namespace.name.clone())).map_err(Error::from)?;
        let scope = match &self.actor {
            Some(actor) => scope.by(actor).map_err(Error::from)?,
            None => scope,
        };
        Ok(scope.acting_for(&self.lineage.workspace.id).map_err(Error::from)?)
    }
}

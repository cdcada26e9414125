//! What a workspace may read and write, derived from the tree for each call.

use heirloom_store::{Lineage, NamespaceOf};

use crate::caller::{Caller, Guest};
use crate::config::CallerConfig;
use crate::context::Context;
use crate::error::Result;

/// The namespaces of a workspace now.
///
/// # Errors
/// Forbidden when the caller's token is not for the workspace, whether or not there is one; not found when there is none.
pub async fn lineage(context: &Context, workspace: &str) -> Result<Lineage> {
    if let Caller::Token(_) = context.caller() {
        context.caller().require_namespace(&format!("workspace:{workspace}"))?;
    }
    Ok(context.store().await?.lineage(workspace).await?)
}

/// The context of a call that may use these namespaces and no others, in the name of whoever calls.
pub fn acting(context: &Context, workspace: &str, namespaces: impl IntoIterator<Item = String>) -> Context {
    let actor = context.caller().actor().unwrap_or_else(|| format!("workspace:{workspace}"));
    let config = CallerConfig { namespaces: namespaces.into_iter().collect(), actor };
    let writes = context.caller().has(heirloom_store::Right::Write);
    let workspace = Some(workspace.to_owned());
    context.call(Caller::Guest(Box::new(Guest { config, held: true, writes, workspace })))
}

/// Those of `asked` that are in `allowed`; all of `allowed` when nothing is asked for.
pub fn intersection(allowed: &[NamespaceOf], asked: &[String]) -> Vec<String> {
    let names = allowed.iter().map(|kin| kin.name.clone());
    names.filter(|name| asked.is_empty() || asked.contains(name)).collect()
}

/// The namespaces as a list for a sentence.
pub fn names(namespaces: &[NamespaceOf]) -> String {
    namespaces.iter().map(|kin| kin.name.as_str()).collect::<Vec<_>>().join(", ")
}

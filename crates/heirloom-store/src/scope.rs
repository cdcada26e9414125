//! What a call may see: the namespaces of its caller, and the transaction that holds the database to them.
//!
//! Deliberately absent: how a caller came by its namespaces. Doors decide that; the store takes the list as given and
//! lets row-level security enforce it.

use deadpool_postgres::Transaction;
use heirloom_engine::Client;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::error::{Result, StoreError};
use crate::namespace;
use crate::trip;

/// Most namespaces in one scope: the list travels with each transaction and every policy reads it.
pub const MAX_NAMESPACES: usize = 1_024;

/// The namespaces a call may see and write, and who makes the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    namespaces: Vec<String>,
    actor: Option<String>,
    workspace: Option<String>,
}

impl Scope {
    /// A scope of these namespaces, repeated ones once. An empty list is allowed and sees nothing.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when a namespace breaks the grammar or there are more than [`MAX_NAMESPACES`].
    pub fn new<I, S>(namespaces: I) -> Result<Self>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let mut namespaces: Vec<String> = namespaces.into_iter().map(Into::into).collect();
        for name in &namespaces {
            namespace::validate(name)?;
        }
        namespaces.sort_unstable();
        namespaces.dedup();
        if namespaces.len() > MAX_NAMESPACES {
            return Err(StoreError::Invalid {
                field: "namespaces",
                found: format!("{} of them", namespaces.len()),
                accepted: format!("at most {MAX_NAMESPACES} a call; ask in several calls"),
            });
        }
        Ok(Self { namespaces, actor: None, workspace: None })
    }

    /// A scope of one namespace.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the namespace breaks the grammar.
    pub fn one(namespace: &str) -> Result<Self> {
        Self::new([namespace])
    }

    /// The same scope, with the name that activity and transitions record as the one who acted.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the name is blank, holds NUL or exceeds 256 bytes.
    pub fn by(mut self, actor: &str) -> Result<Self> {
        self.actor = crate::check::label("actor", Some(actor))?.map(str::to_owned);
        Ok(self)
    }

    /// The same scope, acting for a workspace of the tree, which activity records beside the actor.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when `workspace:<id>` breaks the grammar of namespaces.
    pub fn acting_for(mut self, workspace: &str) -> Result<Self> {
        namespace::validate(&format!("workspace:{workspace}"))?;
        self.workspace = Some(workspace.to_owned());
        Ok(self)
    }

    /// The namespaces, sorted, each once.
    pub fn namespaces(&self) -> &[String] {
        &self.namespaces
    }

    /// Who acts, when the caller said so.
    pub fn actor(&self) -> Option<&str> {
        self.actor.as_deref()
    }

    /// Whether the scope holds this namespace, byte for byte.
    pub fn contains(&self, namespace: &str) -> bool {
        self.namespaces.binary_search_by(|known| known.as_str().cmp(namespace)).is_ok()
    }

    /// Refuses a write outside the scope before the database has to.
    pub(crate) fn require(&self, namespace: &str) -> Result<()> {
        namespace::validate(namespace)?;
        if self.contains(namespace) {
            return Ok(());
        }
        Err(StoreError::Rights(format!("The namespace {namespace} is not among those this call may use")))
    }

    /// The namespaces a read asks for: those it names, or all of the scope when it names none.
    pub(crate) fn narrowed(&self, asked: &[String]) -> Result<Vec<String>> {
        if asked.is_empty() {
            return Ok(self.namespaces.clone());
        }
        for name in asked {
            self.require(name)?;
        }
        Ok(asked.to_vec())
    }

    /// Opens the tenant's transaction on a connection: the serving role, and these namespaces visible and no others.
    /// Dropping it without a commit rolls back; role and setting end with it.
    pub(crate) async fn begin<'c>(&self, client: &'c mut Client, access: Access) -> Result<Transaction<'c>> {
        // A write is whatever the login's transactions are, as in `ask`: a standby refuses the word itself (0A000), and only what
        // is written then as what it is (25006).
        let tx = match access {
            Access::Read => client.build_transaction().read_only(true).start().await?,
            Access::Write => client.transaction().await?,
        };
        tx.batch_execute(&self.settings()).await?;
        Ok(tx)
    }

    /// Runs one statement as the tenant's whole transaction, in one round trip.
    pub(crate) async fn ask(
        &self,
        client: &Client,
        access: Access,
        statement: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let begin = if access == Access::Read { "begin read only" } else { "begin" };
        trip::ask(client, &format!("{begin}; {}", self.settings()), statement, values).await
    }

    /// The serving role, and what it sees.
    fn settings(&self) -> String {
        // The grammar leaves a namespace no character that could end a literal, so the list is written as it stands:
        // one round trip, and a setting that a distributed server hands on to its workers.
        let list = self.namespaces.join(",");
        // What is written here was redacted before it came (`redact::remember` and its siblings).
        // The SQL door's project counts only where no namespace is named: an empty list must stay empty.
        let mut settings = format!(
            "set local role heirloom_serve; set local heirloom.namespaces = '{list}'; set local pgmnemo.tenant_id = ''; \
             set local heirloom.redacted = 'on'"
        );
        if let Some(workspace) = &self.workspace {
            settings.push_str(&format!("; set local heirloom.workspace = '{workspace}'"));
        }
        settings
    }
}

/// The namespaces when they are few, their number otherwise.
impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.namespaces.len() {
            0 => f.write_str("no namespace"),
            1..=4 => f.write_str(&self.namespaces.join(", ")),
            many => write!(f, "{many} namespaces"),
        }
    }
}

/// What a tenant's transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The server refuses every write in it.
    Read,
    /// It may write.
    Write,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_each_namespace_once_in_order() {
        let scope = Scope::new(["team:b", "team:a", "team:b"]).expect("valid");
        assert_eq!(scope.namespaces(), ["team:a", "team:b"]);
        assert!(scope.contains("team:a") && !scope.contains("team:c") && !scope.contains("team:A"));
    }

    #[test]
    fn refuses_a_bad_namespace_an_outsider_and_too_many() {
        assert!(Scope::new(["team:a", "team a"]).is_err());
        assert!(Scope::new((0..=MAX_NAMESPACES).map(|n| format!("team:{n}"))).is_err());
        let scope = Scope::one("team:a").expect("valid");
        assert!(matches!(scope.require("team:b"), Err(StoreError::Rights(_))));
        assert!(scope.narrowed(&["team:b".to_owned()]).is_err());
    }
}

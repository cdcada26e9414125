//! The ways memories are read. The recall proof asks each of them, and knows of none how it is built.
//!
//! [`Sql`] is the store itself. Deliberately absent: the HTTP and MCP doors, which the program brings ([`Door`]).

use async_trait::async_trait;
use heirloom_store::{MAX_HITS, Recall, Scope, Store};
use uuid::Uuid;

use crate::error::Result;

/// A memory as a door showed it: never leaves the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub id: Uuid,
    /// Where it lives.
    pub namespace: String,
    /// What it says.
    pub content: String,
}

/// A question at a door.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The words.
    pub words: &'a str,
    /// How many hits at most; never more than [`Door::most`].
    pub limit: i64,
    /// Lessons that nobody verified as well, where the door can be asked for them.
    pub include_unverified: bool,
}

/// A way memories are read.
#[async_trait]
pub trait Door: Send + Sync {
    /// What it is called in the evidence.
    fn name(&self) -> &'static str;

    /// Most hits of one answer.
    fn most(&self) -> i64;

    /// What somebody gets who has the namespaces `rights` and no other, and asks in `namespaces`; `None` when that is
    /// refused because not all of them are theirs.
    ///
    /// # Errors
    /// When the door does not answer, or refuses for any other reason.
    async fn ask(&self, rights: &[String], namespaces: &[String], question: Question<'_>) -> Result<Option<Vec<Seen>>>;
}

/// The store, as SQL shows it to the serving role.
pub(super) struct Sql<'a>(pub(super) &'a Store);

#[async_trait]
impl Door for Sql<'_> {
    fn name(&self) -> &'static str {
        "sql"
    }

    fn most(&self) -> i64 {
        MAX_HITS
    }

    /// In SQL a scope is the whole of somebody's rights: who asks in more than that asks as somebody else.
    async fn ask(&self, rights: &[String], namespaces: &[String], question: Question<'_>) -> Result<Option<Vec<Seen>>> {
        if rights != namespaces {
            return Ok(None);
        }
        let scope = Scope::new(rights.iter().map(String::as_str))?;
        let recall = Recall {
            query: Some(question.words.to_owned()),
            limit: Some(question.limit),
            include_unverified: question.include_unverified,
            alone: true,
            ..Recall::default()
        };
        let hits = self.0.recall(&scope, &recall).await?.hits.into_iter();
        Ok(Some(hits.map(|hit| Seen { id: hit.id, namespace: hit.namespace, content: hit.content }).collect()))
    }
}

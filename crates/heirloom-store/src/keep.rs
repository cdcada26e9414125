//! Keeping: whether a memory is pinned, and when it expires. What it says stays as it is.
//!
//! The step counts as a version, so that whoever decided on what they had read notices; and it is recorded with its
//! values, so that `verify` can tell it from a change nobody made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use uuid::Uuid;

use crate::activity::{self, Line};
use crate::check;
use crate::error::Result;
use crate::locate;
use crate::memory::Moment;
use crate::scope::{Access, Scope};
use crate::store::Store;

/// How a memory is kept from now on. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Which memory.
    pub id: Uuid,
    /// Its namespace; needed only when several namespaces of the call hold the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Pin it (true), or take the pin away (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<bool>,
    /// Never recalled from this instant on (RFC 3339); one that has passed expires it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// Let it never expire.
    #[serde(default)]
    pub never_expires: bool,
    /// The version the caller read; another one in the store is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<i32>,
}

/// How it is kept now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeptMemory {
    /// The memory's id.
    pub id: Uuid,
    /// Where it lives.
    pub namespace: String,
    /// Whether it is pinned.
    pub pin: bool,
    /// Never recalled from this instant on; absent when it never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// Its version now.
    pub version: i32,
}

impl Store {
    /// Pins a memory, or says when it expires.
    ///
    /// # Errors
    /// [`crate::StoreError::Invalid`] when nothing is to change, or two ends are given; [`crate::StoreError::Conflict`] when the version
    /// is not the expected one; [`crate::StoreError::NotFound`] or [`crate::StoreError::Forgotten`] when the scope has no such memory.
    pub async fn keep(&self, scope: &Scope, request: &Keep) -> Result<KeptMemory> {
        let gives_end = request.expires_at.is_some() || request.never_expires;
        if request.expires_at.is_some() && request.never_expires {
            return Err(check::invalid("never_expires", "true beside an expires_at", "one of the two"));
        }
        if request.pin.is_none() && !gives_end {
            let accepted = "pin, expires_at or never_expires";
            return Err(check::invalid("pin", "absent, and no end either", accepted));
        }
        let end = match request.expires_at {
            None | Some(Moment::Infinity) => None,
            Some(end @ Moment::Micros(micros)) => {
                check::moment("expires_at", Some(end))?;
                Some((end, micros))
            }
            Some(Moment::NegativeInfinity) => return Err(check::invalid("expires_at", "-infinity", "a time")),
        };
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Write).await?;
        let old = locate::lock(&tx, scope, request.id, request.namespace.as_deref()).await?;
        check::version(request.id, old.version, request.expected_version)?;
        tx.execute(include_str!("../sql/queries/keep_revision.sql"), &[&old.namespace, &request.id, &scope.actor()])
            .await?;
        let statement = include_str!("../sql/queries/keep.sql");
        let at = end.map(|(at, _)| at);
        let row = tx.query_one(statement, &[&old.namespace, &request.id, &request.pin, &gives_end, &at]).await?;
        let mut details = Map::new();
        if let Some(pin) = request.pin {
            details.insert("pin".to_owned(), json!(pin));
        }
        if gives_end {
            details.insert("expires_us".to_owned(), json!(end.map(|(_, micros)| micros)));
        }
        activity::record(
            &tx,
            scope,
            Line {
                action: "keep",
                namespace: &old.namespace,
                id: request.id,
                content: Some(&old.content),
                details: Some(details.into()),
            },
        )
        .await?;
        let kept = KeptMemory {
            id: request.id,
            pin: row.try_get("pin")?,
            expires_at: row.try_get("expires_at")?,
            version: row.try_get("version_n")?,
            namespace: old.namespace,
        };
        tx.commit().await?;
        self.tell(&client);
        Ok(kept)
    }
}

//! Forgetting: the memory, its revisions, its links and the source row it came from are deleted; a tombstone stays, so
//! that no import and no re-run brings it back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::activity::{self, Line};
use crate::check;
use crate::error::Result;
use crate::locate;
use crate::memory::Moment;
use crate::redact;
use crate::scope::{Access, Scope};
use crate::store::Store;

/// What to forget.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forget {
    /// Which memory.
    pub id: Uuid,
    /// Its namespace; needed only when several namespaces of the call hold the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Why; kept with the tombstone, so it should not repeat the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Forgotten {
    /// The memory's id.
    pub id: Uuid,
    /// Where it lived.
    pub namespace: String,
    /// When it was forgotten.
    pub forgotten_at: Moment,
}

impl Store {
    /// Forgets a memory for good.
    ///
    /// # Errors
    /// [`crate::StoreError::Forgotten`] the second time, [`crate::StoreError::NotFound`] when the scope never had it,
    /// [`crate::StoreError::Invalid`] for a blank reason.
    pub async fn forget(&self, scope: &Scope, request: &Forget) -> Result<Forgotten> {
        check::label("reason", request.reason.as_deref())?;
        let reason = redact::reason(request.reason.as_deref());
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Write).await?;
        locate::hold_id(&tx, request.id).await?;
        let old = locate::lock(&tx, scope, request.id, request.namespace.as_deref()).await?;
        let row = tx
            .query_one(
                include_str!("../sql/queries/forget.sql"),
                &[&old.namespace, &request.id, &scope.actor(), &reason.as_deref()],
            )
            .await?;
        let forgotten_at = row.try_get("forgotten_at")?;
        activity::record(
            &tx,
            scope,
            Line {
                action: "forget",
                namespace: &old.namespace,
                id: request.id,
                content: Some(&old.content),
                details: None,
            },
        )
        .await?;
        tx.commit().await?;
        self.tell(&client);
        Ok(Forgotten { id: request.id, namespace: old.namespace, forgotten_at })
    }
}

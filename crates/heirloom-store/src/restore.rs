//! Restoring: a memory as it was elsewhere, with what the store otherwise decides by itself: when it was verified and
//! entered its state, how sure it is, from when to when it was valid, and times that nobody knows.
//!
//! The rules of a write hold: the rights, the redaction, an id lives once, what was forgotten stays so. What is there already
//! stays as it is.

use heirloom_engine::Cached;

use crate::check;
use crate::error::Result;
use crate::memory::Memory;
use crate::redact;
use crate::remember::{Call, Remember, Remembered, WRITE};
use crate::scope::{Access, Scope};
use crate::store::Store;

impl Store {
    /// Writes a memory as it was. `None` is SQL NULL, for times too. One transaction; the activity line, that of a new
    /// memory, commits with it.
    ///
    /// # Errors
    /// As [`Store::remember`].
    pub async fn restore(&self, scope: &Scope, old: &Memory) -> Result<Remembered> {
        scope.require(&old.namespace)?;
        let new = live(old);
        let (new, redacted) = redact::remember(&new);
        let call = Call::of(scope, &new, false, self.meta().dimension)?;
        for (field, moment) in [
            ("state_changed_at", old.state_changed_at),
            ("verified_at", old.verified_at),
            ("valid_from", old.valid_from),
        ] {
            check::moment(field, moment)?;
        }
        if let Some(odd) = old.confidence.filter(|confidence| !(0.0..=1.0).contains(confidence)) {
            return Err(check::invalid("confidence", odd.to_string(), "0 to 1"));
        }
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Write).await?;
        let rows = tx.query_cached(WRITE, &call.values()).await.map_err(|error| call.refused(error.into()))?;
        let mut done = call.remembered(rows.first(), redacted)?;
        if done.created {
            tx.batch_execute("set local heirloom.times_given = 'on'").await?;
            let statement = include_str!("../sql/queries/restore.sql");
            tx.execute_cached(
                statement,
                &[
                    &old.namespace,
                    &old.id,
                    &old.project_id,
                    &old.state_changed_at,
                    &old.verified_at,
                    &old.confidence,
                    &old.is_active,
                    &old.valid_from,
                    &old.created_at,
                    &old.updated_at,
                ],
            )
            .await?;
            done.ghost = old.kind == "lesson" && old.verified_at.is_none();
        }
        tx.commit().await?;
        self.tell(&client);
        Ok(done)
    }
}

/// What of it a live writer says.
fn live(old: &Memory) -> Remember {
    Remember {
        namespace: old.namespace.clone(),
        content: old.content.clone(),
        id: Some(old.id),
        kind: Some(old.kind.clone()),
        source: Some(old.source.clone()),
        role: old.role.clone(),
        topic: old.topic.clone(),
        importance: Some(old.importance),
        state: Some(old.state.clone()),
        commit_sha: old.commit_sha.clone(),
        artifact_hash: old.artifact_hash.clone(),
        source_run_id: old.source_run_id.clone(),
        source_task_id: old.source_task_id.clone(),
        source_dag_id: old.source_dag_id.clone(),
        pin: old.pin,
        propagation: old.propagation.clone(),
        metadata: old.metadata.clone(),
        embedding: old.embedding.clone(),
        embedding_model: old.embedding_model.clone(),
        expires_at: old.expires_at,
        // Written afterwards: a version that was closed the moment it began has a window that no live writer may give.
        valid_from: None,
        valid_to: old.valid_to,
        content_type: old.content_type.clone(),
        item_kind: Some(old.item_kind.clone()),
        created_at: old.created_at,
        updated_at: old.updated_at,
    }
}

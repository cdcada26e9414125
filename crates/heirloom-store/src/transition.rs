//! The life of a memory: from which state it may go to which (pgmnemo 0.20.0, its nineteen pairs).
//!
//! A memory may be born in any state; from then on these pairs hold, and each step leaves a line of history.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::activity::{self, Line};
use crate::check;
use crate::error::{Result, StoreError};
use crate::locate;
use crate::memory::{Moment, STATES};
use crate::redact;
use crate::scope::{Access, Scope};
use crate::store::Store;

/// Every step that is allowed, as (from, to). `archived` and `rejected` are final.
pub const TRANSITIONS: [(&str, &str); 19] = [
    ("draft", "candidate"),
    ("draft", "rejected"),
    ("draft", "validated"),
    ("candidate", "conflicted"),
    ("candidate", "rejected"),
    ("candidate", "validated"),
    ("validated", "canonical"),
    ("validated", "draft"),
    ("validated", "rejected"),
    ("canonical", "archived"),
    ("canonical", "conflicted"),
    ("canonical", "deprecated"),
    ("canonical", "superseded"),
    ("deprecated", "archived"),
    ("deprecated", "canonical"),
    ("superseded", "archived"),
    ("conflicted", "archived"),
    ("conflicted", "canonical"),
    ("conflicted", "rejected"),
];

/// A step to take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// Which memory.
    pub id: Uuid,
    /// Its namespace; needed only when several namespaces of the call hold the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The new state.
    pub to: String,
    /// Why; kept in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// With `to = validated`: somebody vouches for it, so it counts as verified now even without provenance.
    #[serde(default)]
    pub verify: bool,
}

/// The step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transitioned {
    /// The memory's id.
    pub id: Uuid,
    /// Where it lives.
    pub namespace: String,
    /// The integer handle of the SQL door.
    pub lesson_id: i64,
    /// The state it was in.
    pub from: String,
    /// The state it is in.
    pub to: String,
    /// When it changed.
    pub at: Moment,
}

/// Where a memory of this state may go; empty for a final state and for a word that is none.
pub fn allowed_from(state: &str) -> impl Iterator<Item = &'static str> {
    TRANSITIONS.into_iter().filter(move |(from, _)| *from == state).map(|(_, to)| to)
}

impl Store {
    /// Moves a memory to another state.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for an unknown state; [`StoreError::Conflict`] for a step that is none of the nineteen;
    /// [`StoreError::NotFound`] or [`StoreError::Forgotten`] when the scope has no such memory.
    pub async fn transition(&self, scope: &Scope, step: &Transition) -> Result<Transitioned> {
        check::one_of("to", &step.to, &STATES)?;
        check::label("reason", step.reason.as_deref())?;
        if step.verify && step.to != "validated" {
            return Err(check::invalid("verify", format!("true with to = {}", step.to), "only with to = validated"));
        }
        let reason = redact::reason(step.reason.as_deref());
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Write).await?;
        let old = locate::lock(&tx, scope, step.id, step.namespace.as_deref()).await?;
        if !allowed_from(&old.state).any(|to| to == step.to) {
            return Err(refused(step, &old.state));
        }
        let row = tx
            .query_one(
                include_str!("../sql/queries/transition.sql"),
                &[&old.namespace, &step.id, &old.state, &step.to, &step.verify, &scope.actor(), &reason.as_deref()],
            )
            .await?;
        let at = row.try_get("at")?;
        activity::record(
            &tx,
            scope,
            Line {
                action: "transition",
                namespace: &old.namespace,
                id: step.id,
                content: Some(&old.content),
                details: Some(json!({ "from": old.state, "to": step.to })),
            },
        )
        .await?;
        tx.commit().await?;
        self.tell(&client);
        Ok(Transitioned {
            id: step.id,
            namespace: old.namespace,
            lesson_id: old.lesson_id,
            from: old.state,
            to: step.to.clone(),
            at,
        })
    }
}

fn refused(step: &Transition, from: &str) -> StoreError {
    let allowed: Vec<_> = allowed_from(from).collect();
    let hint = match allowed.as_slice() {
        [] => format!("{from} is final"),
        states => format!("from {from} it may go to {}", states.join(", ")),
    };
    StoreError::Conflict(format!("Invalid state transition of {}: {from} → {}; {hint}", step.id, step.to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pairs_are_nineteen_between_known_states_each_once() {
        for (at, (from, to)) in TRANSITIONS.iter().enumerate() {
            assert!(STATES.contains(from) && STATES.contains(to) && from != to);
            assert!(!TRANSITIONS[..at].contains(&(*from, *to)), "{from} → {to} twice");
        }
        for last in ["archived", "rejected"] {
            assert_eq!(allowed_from(last).count(), 0);
        }
    }
}

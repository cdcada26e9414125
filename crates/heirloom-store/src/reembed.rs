//! Changing the model of a namespace's vectors, or filling those that are missing, beside what recall reads.
//!
//! The new vectors wait in `heirloom.embedding`, each with the digest of the text it was made from. When every memory of
//! a namespace has one, [`Store::reembed_switch`] moves them over in one transaction; until then recall knows the old
//! ones only. Each step is one short transaction, so whoever makes the vectors holds no connection meanwhile, and a
//! step that was killed is found undone by the next. Deliberately absent: making vectors.

use deadpool_postgres::Transaction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::check;
use crate::error::Result;
use crate::schema::AUDIT_ROLE;
use crate::scope::{Access, Scope};
use crate::store::Store;

/// The text of a memory that an embedding is made from: what it is about, an empty line, what it says. The database's
/// `heirloom.embedded_text` says the same.
pub fn embedded_text(topic: Option<&str>, content: &str) -> String {
    match topic {
        Some(topic) if !topic.is_empty() => format!("{topic}\n\n{content}"),
        _ => content.to_owned(),
    }
}

/// How far a namespace is with a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelState {
    /// The namespace.
    pub namespace: String,
    /// How many memories it has.
    pub memories: u64,
    /// Those whose live vector is of the model.
    pub live: u64,
    /// Those whose live vector is of another model.
    pub others: u64,
    /// Those with a vector of the model waiting beside them.
    pub beside: u64,
    /// Those whose text the model has no vector for.
    pub without: u64,
    /// Those that still need one.
    pub missing: u64,
    /// Of those the model has no vector for: how many have another model's.
    pub to_empty: u64,
}

impl ModelState {
    /// Whether something waits to be moved.
    pub fn waits(&self) -> bool {
        self.beside > 0 || self.to_empty > 0
    }
}

/// A memory whose text is to be embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which memory.
    pub id: Uuid,
    /// The text.
    pub text: String,
    /// Its digest, to be handed back with the vector.
    pub sha256: Vec<u8>,
}

/// A vector for a memory; `None` when the model has none for its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// Which memory.
    pub id: Uuid,
    /// The digest of the text it was made from.
    pub sha256: Vec<u8>,
    /// The vector.
    pub embedding: Option<Vec<f32>>,
}

impl Store {
    /// How far these namespaces are with a model, or all of the store. Reads only.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`], [`crate::StoreError::Invalid`] for a model without a name.
    pub async fn reembed_state(
        &self,
        model: &str,
        width: Option<usize>,
        namespaces: Option<&[String]>,
    ) -> Result<Vec<ModelState>> {
        check::label("embedding_model", Some(model))?;
        let mut client = self.database().client().await?;
        let tx = client.build_transaction().read_only(true).start().await?;
        tx.batch_execute(&format!("set local role {AUDIT_ROLE}")).await?;
        let states = states(&tx, model, width, namespaces).await?;
        tx.commit().await?;
        Ok(states)
    }

    /// The next memories of a namespace that need a vector of a model of this width, after an id. Reads only.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`], [`crate::StoreError::Invalid`] for a namespace that breaks the grammar.
    pub async fn reembed_due(
        &self,
        namespace: &str,
        model: &str,
        width: usize,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Due>> {
        let scope = Scope::one(namespace)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Read).await?;
        let rows = tx
            .query(
                include_str!("../sql/queries/reembed/due.sql"),
                &[&namespace, &model, &number(width), &after, &limit],
            )
            .await?;
        tx.commit().await?;
        rows.iter()
            .map(|row| Ok(Due { id: row.try_get("id")?, text: row.try_get("text")?, sha256: row.try_get("sha256")? }))
            .collect()
    }

    /// Keeps vectors of a model beside their memories. The same again changes nothing that counts.
    ///
    /// # Errors
    /// [`crate::StoreError::Invalid`] when a vector does not fit the store; then none is kept.
    pub async fn reembed_keep(&self, namespace: &str, model: &str, made: &[Made]) -> Result<u64> {
        check::label("embedding_model", Some(model))?;
        let mut ids = Vec::with_capacity(made.len());
        let mut digests = Vec::with_capacity(made.len());
        let mut widths = Vec::with_capacity(made.len());
        let mut vectors = Vec::with_capacity(made.len());
        for one in made {
            ids.push(one.id);
            digests.push(one.sha256.as_slice());
            widths.push(one.embedding.as_ref().map(|values| number(values.len())));
            let vector = one.embedding.as_deref();
            vectors
                .push(vector.map(|values| check::embedding("embedding", values, self.meta().dimension)).transpose()?);
        }
        let scope = Scope::one(namespace)?;
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Write).await?;
        self.find_operators(&tx).await?;
        let kept = tx
            .execute(
                include_str!("../sql/queries/reembed/keep.sql"),
                &[&namespace, &model, &ids, &digests, &widths, &vectors],
            )
            .await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// Makes the vectors beside the memories of a namespace the live ones, all of them or none: `None` when a memory
    /// still needs one, because it was written or revised meanwhile. Gives how many memories changed.
    ///
    /// # Errors
    /// [`crate::StoreError::Database`]; nothing is changed then.
    pub async fn reembed_switch(
        &self,
        scope: &Scope,
        namespace: &str,
        model: &str,
        width: usize,
    ) -> Result<Option<u64>> {
        scope.require(namespace)?;
        let mut client = self.database().client().await?;
        let tx = scope.begin(&mut client, Access::Write).await?;
        // Another model is not another text: times of rows that came by the SQL door stay as they are.
        tx.batch_execute("set local heirloom.times_given = 'on'").await?;
        let other = !tx
            .query(include_str!("../sql/queries/reembed/width.sql"), &[&namespace, &model, &number(width)])
            .await?
            .is_empty();
        let moved = tx
            .execute(include_str!("../sql/queries/reembed/switch.sql"), &[&namespace, &model, &number(width), &other])
            .await?;
        // Looked at after the move, whose statement saw what was committed until then: whatever was written since and
        // needs a vector is found here, and nothing is moved.
        let left = states(&tx, model, Some(width), Some(&[namespace.to_owned()])).await?;
        if left.iter().any(|state| state.missing > 0 || state.waits()) {
            tx.rollback().await?;
            return Ok(None);
        }
        tx.execute(include_str!("../sql/queries/reembed/clear.sql"), &[&namespace, &model]).await?;
        if moved > 0 {
            let details = Some(json!({ "model": model, "dimension": width, "memories": moved }));
            tx.execute(
                include_str!("../sql/queries/activity.sql"),
                &[&scope.actor(), &"reembed", &namespace, &None::<Uuid>, &None::<Vec<u8>>, &details],
            )
            .await?;
        }
        tx.commit().await?;
        Ok(Some(moved))
    }

    /// Lets a transaction name pgvector's types, wherever pgvector lives.
    async fn find_operators(&self, tx: &Transaction<'_>) -> Result<()> {
        tx.execute("select set_config('search_path', $1, true)", &[&self.meta().search_path()]).await?;
        Ok(())
    }
}

async fn states(
    tx: &Transaction<'_>,
    model: &str,
    width: Option<usize>,
    namespaces: Option<&[String]>,
) -> Result<Vec<ModelState>> {
    let rows =
        tx.query(include_str!("../sql/queries/reembed/state.sql"), &[&model, &width.map(number), &namespaces]).await?;
    rows.iter()
        .map(|row| {
            let of = |name: &str| row.try_get::<_, i64>(name).map(i64::unsigned_abs);
            Ok(ModelState {
                namespace: row.try_get("namespace")?,
                memories: of("memories")?,
                live: of("live")?,
                others: of("others")?,
                beside: of("beside")?,
                without: of("without")?,
                missing: of("missing")?,
                to_empty: of("to_empty")?,
            })
        })
        .collect()
}

fn number(width: usize) -> i32 {
    i32::try_from(width).unwrap_or(i32::MAX)
}

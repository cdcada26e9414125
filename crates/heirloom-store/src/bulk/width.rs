//! One width for the vectors of a model in a namespace: the store's, or that of the first row of a load that brings one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use deadpool_postgres::Transaction;
use heirloom_engine::Cached;

use super::Row;
use super::round::NAMESPACES_A_ROUND;
use crate::error::Result;
use crate::identity::Identity;
use crate::schema::SERVE_ROLE;

/// Namespace and model.
type Key<'r> = (&'r str, &'r str);

/// The widths that hold for the models of these rows, in the namespaces this load may write to.
pub(super) struct Widths<'r>(HashMap<Key<'r>, usize>);

impl<'r> Widths<'r> {
    /// Asks the store, and tells it those it does not know. They are held until the transaction ends.
    pub(super) async fn of(tx: &Transaction<'_>, rows: &[&'r Row], allowed: &[String]) -> Result<Self> {
        let mut first: BTreeMap<Key<'r>, usize> = BTreeMap::new();
        for (key, width) in rows.iter().filter_map(|row| named(row)) {
            first.entry(key).or_insert(width);
        }
        let may: BTreeSet<&str> = allowed.iter().map(String::as_str).collect();
        first.retain(|(namespace, _), _| may.contains(namespace));
        let mut held = HashMap::with_capacity(first.len());
        if first.is_empty() {
            return Ok(Self(held));
        }
        let namespaces: BTreeSet<&str> = first.keys().map(|(namespace, _)| *namespace).collect();
        let namespaces: Vec<&str> = namespaces.into_iter().collect();
        let identity = Identity::take(tx, SERVE_ROLE).await?;
        for round in namespaces.chunks(NAMESPACES_A_ROUND) {
            identity.see(tx, &round.join(",")).await?;
            // First these, as a live writer does: two who make both wait for each other instead of blocking each other for good.
            tx.execute_cached(include_str!("../../sql/queries/bulk/namespaces.sql"), &[&round]).await?;
            let part: Vec<(Key<'r>, i32)> = first
                .iter()
                .filter(|((namespace, _), _)| round.contains(namespace))
                .map(|(key, width)| (*key, i32::try_from(*width).unwrap_or(i32::MAX)))
                .collect();
            let places: Vec<&str> = part.iter().map(|((namespace, _), _)| *namespace).collect();
            let models: Vec<&str> = part.iter().map(|((_, model), _)| *model).collect();
            let widths: Vec<i32> = part.iter().map(|(_, width)| *width).collect();
            let found = tx
                .query_cached(include_str!("../../sql/queries/bulk/widths.sql"), &[&places, &models, &widths])
                .await?;
            let said: HashMap<(String, String), i32> =
                found.iter().map(|row| ((row.get("namespace"), row.get("model")), row.get("dimension"))).collect();
            held.extend(part.iter().filter_map(|((namespace, model), _)| {
                let kept = said.get(&((*namespace).to_owned(), (*model).to_owned()))?;
                Some(((*namespace, *model), usize::try_from(*kept).ok()?))
            }));
        }
        identity.give_back(tx).await?;
        Ok(Self(held))
    }

    /// The width of a row's vector and the other one that its model has, where the two differ.
    pub(super) fn differing(&self, row: &Row) -> Option<(usize, usize)> {
        let (key, found) = named(row)?;
        let kept = *self.0.get(&key)?;
        (kept != found).then_some((found, kept))
    }
}

/// The namespace and model of a row whose vector has one, and its width.
fn named(row: &Row) -> Option<(Key<'_>, usize)> {
    let vector = row.memory.embedding.as_ref()?;
    let model = row.memory.embedding_model.as_deref().filter(|model| !model.is_empty())?;
    Some(((&row.memory.namespace, model), vector.len()))
}

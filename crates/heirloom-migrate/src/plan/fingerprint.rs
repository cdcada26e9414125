//! Fingerprints of both sides: `apply` refuses a plan whose source or target is no longer what was planned.

use serde::Serialize;
use uuid::Uuid;

use super::PlannedTarget;
use crate::source::{Table, TreeRows};

/// blake3 over table, key and tree, hex. The estimated row count does not count: statistics move by themselves.
pub fn source_fingerprint(table: &Table, key: &[String], tree: Option<&TreeRows>) -> String {
    let table = Table { estimated_rows: None, ..table.clone() };
    let mut nodes: Vec<_> = tree.into_iter().flatten().collect();
    nodes.sort();
    hash(&("source", table, key, tree.is_some(), nodes))
}

/// blake3 over store id, schema version and dimension, hex. Of a store that is not there yet only the dimension counts.
pub fn target_fingerprint(store_id: Option<Uuid>, schema_version: u32, dimension: usize) -> String {
    hash(&("target", store_id.map(|id| (id, schema_version)), dimension))
}

impl PlannedTarget {
    /// Whether a store is the one that was planned for; one that was not there yet may be any of the same dimension.
    pub fn fits(&self, store_id: Uuid, schema_version: u32, dimension: usize) -> bool {
        let store_id = self.store_id.map(|_| store_id);
        self.fingerprint == target_fingerprint(store_id, schema_version, dimension)
    }
}

/// blake3 of the compact JSON; what cannot be serialised does not occur among the types above.
fn hash(value: &impl Serialize) -> String {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    blake3::hash(&bytes).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: Option<u64>) -> Table {
        Table {
            name: "public.notes".into(),
            columns: Vec::new(),
            primary_key: vec!["id".into()],
            unique_keys: Vec::new(),
            estimated_rows: rows,
        }
    }

    #[test]
    fn statistics_do_not_change_a_source_and_its_key_does() {
        let key = ["id".to_owned()];
        let planned = source_fingerprint(&table(Some(1)), &key, None);
        assert_eq!(planned, source_fingerprint(&table(None), &key, None));
        assert_ne!(planned, source_fingerprint(&table(None), &["other".to_owned()], None));
        assert_ne!(planned, source_fingerprint(&table(None), &key, Some(&Vec::new())));
    }

    #[test]
    fn a_store_that_was_not_there_may_be_any_of_its_dimension() {
        let planned = target_fingerprint(None, 0, 1024);
        assert_eq!(planned, target_fingerprint(None, 6, 1024));
        assert_ne!(planned, target_fingerprint(None, 6, 8));
        assert_ne!(planned, target_fingerprint(Some(Uuid::nil()), 6, 1024));
        assert_ne!(target_fingerprint(Some(Uuid::nil()), 6, 8), target_fingerprint(Some(Uuid::nil()), 7, 8));
    }

    #[test]
    fn a_tree_is_the_same_in_any_order() {
        let key = ["id".to_owned()];
        let one = vec![("a".to_owned(), None), ("b".to_owned(), Some("a".to_owned()))];
        let two = one.iter().cloned().rev().collect();
        assert_eq!(
            source_fingerprint(&table(None), &key, Some(&one)),
            source_fingerprint(&table(None), &key, Some(&two))
        );
    }
}

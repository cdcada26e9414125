//! Ids of migrated memories: the same row has the same id on every run, on every host.
//!
//! uuid v5 over length-framed parts (moving-rows 4.1): a bare key would collide between tables and tenants, and parts that are
//! only joined would be ambiguous. The recipe has a number, so that a later one can be told apart.

use uuid::Uuid;

/// Number of the recipe.
pub const RECIPE: u8 = 1;

/// The namespace of all migrated ids: v5 of `heirloom.migrated` in the DNS namespace, spelt out so that it cannot move.
const NAMESPACE: Uuid = Uuid::from_u128(0x6a3f_2d0e_9c41_5b77_8e1d_2f6b_7c90_a4e5);

/// The id of a row.
pub(super) fn derived(system: &str, tenant: &str, table: &str, key: &[String]) -> Uuid {
    let mut name = vec![RECIPE];
    for part in [system, tenant, table].into_iter().chain(key.iter().map(String::as_str)) {
        // A key longer than 4 GiB does not exist.
        name.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        name.extend_from_slice(part.as_bytes());
    }
    Uuid::new_v5(&NAMESPACE, &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let key = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        assert_ne!(derived("s", "t", "ab", &key(&["c"])), derived("s", "t", "a", &key(&["bc"])));
        assert_ne!(derived("s", "t", "a", &key(&["b", "c"])), derived("s", "t", "a", &key(&["bc"])));
        assert_ne!(derived("s", "t1", "a", &key(&["b"])), derived("s", "t2", "a", &key(&["b"])));
    }

    #[test]
    fn the_recipe_does_not_move() {
        let id = derived("system", "tenant", "public.notes", &["1".to_owned()]);
        assert_eq!(id.get_version_num(), 5);
        insta::assert_snapshot!(id, @"414f48d3-296c-5918-8c6b-e694345dee12");
    }
}

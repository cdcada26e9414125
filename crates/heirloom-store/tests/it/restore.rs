//! Restoring: a memory as it was elsewhere, by the rules of every write.

use heirloom_store::{Forget, Memory, Moment, Show, StoreError};
use uuid::Uuid;

use crate::installed;
use crate::world::{fact, number, remembered, scope};

fn old(namespace: &str, id: u128) -> Memory {
    Memory {
        kind: "fact".to_owned(),
        verified_at: Some(Moment::Micros(1_600_000_000_000_000)),
        state_changed_at: Some(Moment::Micros(1_500_000_000_000_000)),
        valid_from: Some(Moment::Micros(1_400_000_000_000_000)),
        valid_to: Some(Moment::Micros(1_400_000_000_000_000)),
        confidence: Some(0.25),
        is_active: false,
        project_id: Some(7),
        ..Memory::new(Uuid::from_u128(id), namespace, "it was so")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_decides_for_a_new_memory_is_as_it_was() {
    let (test, store) = installed().await;
    for (at, namespace) in ["team:a", "project:7", "custom:unassigned"].into_iter().enumerate() {
        let old = old(namespace, at as u128 + 1);
        let done = store.restore(&scope(namespace), &old).await.unwrap();
        assert!(done.created && !done.ghost);
        let found = store.show(&scope(namespace), &Show { id: old.id, namespace: None }).await.unwrap().memory;
        assert_eq!((found.verified_at, found.state_changed_at), (old.verified_at, old.state_changed_at));
        assert_eq!((found.valid_from, found.valid_to), (old.valid_from, old.valid_to));
        // Nobody knows when: no time is invented.
        assert_eq!((found.created_at, found.updated_at), (None, None));
        assert_eq!((found.confidence, found.is_active, found.version), (Some(0.25), false, 1));
        let project = Some(7).filter(|_| namespace != "custom:unassigned");
        assert_eq!((found.namespace.as_str(), found.project_id), (namespace, project));
        // Again changes nothing, and writes no other line.
        assert!(!store.restore(&scope(namespace), &old).await.unwrap().created);
    }
    for sql in [
        "select count(*) from heirloom.activity where action = 'remember' and memory_id is not null",
        "select count(*) from heirloom.memory where t_valid_from = valid_from and t_valid_to = valid_to",
    ] {
        assert_eq!(number(&store, sql).await, 3, "{sql}");
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_a_write_hold() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    assert!(matches!(store.restore(&team, &old("team:b", 1)).await, Err(StoreError::Rights(_))));
    for (odd, field) in [
        (Memory { confidence: Some(f32::NAN), ..old("team:a", 1) }, "confidence"),
        (Memory { verified_at: Some(Moment::Micros(i64::MIN)), ..old("team:a", 1) }, "verified_at"),
        (Memory { content: " ".to_owned(), ..old("team:a", 1) }, "content"),
        (Memory { kind: "lesson".to_owned(), ..old("team:a", 1) }, "role"),
    ] {
        let refused = store.restore(&team, &odd).await;
        assert!(matches!(&refused, Err(StoreError::Invalid { field: named, .. }) if *named == field), "{refused:?}");
    }
    let secret = Memory { content: "token ghp_0123456789abcdef0123".to_owned(), ..old("team:a", 2) };
    assert_eq!(store.restore(&team, &secret).await.unwrap().redacted.len(), 1);
    assert_eq!(number(&store, "select count(*) from heirloom.memory where content like '%ghp_%'").await, 0);

    let gone = remembered(&store, &fact("team:a", "gone")).await;
    store.forget(&team, &Forget { id: gone, ..Forget::default() }).await.unwrap();
    let taken = remembered(&store, &fact("team:b", "taken")).await;
    for id in [gone, taken] {
        let refused = store.restore(&team, &Memory { id, ..old("team:a", 3) }).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }
    test.close().await;
}

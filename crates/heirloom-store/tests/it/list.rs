//! Listing: order, filters, and pages that neither repeat nor hide a row.

use heirloom_store::{List, Remember, Scope, StoreError};
use uuid::Uuid;

use crate::installed;
use crate::world::{behind, fact, lesson, remembered, scope};

#[tokio::test(flavor = "multi_thread")]
async fn pages_cover_everything_once_in_order() {
    let (test, store) = installed().await;
    let both = Scope::new(["team:a", "team:b"]).unwrap();
    for n in 1..=7_u128 {
        let namespace = if n % 2 == 0 { "team:a" } else { "team:b" };
        remembered(&store, &Remember { id: Some(Uuid::from_u128(n)), ..fact(namespace, &format!("memory {n}")) }).await;
    }
    // Two of one instant, two without a time, one at the end of time.
    behind(
        &store,
        "update heirloom.memory set created_at = '2026-01-01Z' where id::text like any (array['%1', '%2', '%3']);
         update heirloom.memory set created_at = '2026-02-01Z' where id::text like '%4';
         update heirloom.memory set created_at = null where id::text like any (array['%5', '%6']);
         update heirloom.memory set created_at = 'infinity' where id::text like '%7';",
    )
    .await;
    let wanted: Vec<_> = [7, 4, 1, 2, 3, 5, 6].map(Uuid::from_u128).to_vec();
    for limit in 1..=8 {
        let mut request = List { limit: Some(limit), ..List::default() };
        let mut found = Vec::new();
        loop {
            let page = store.list(&both, &request).await.unwrap();
            assert!(page.items.len() <= usize::try_from(limit).unwrap());
            found.extend(page.items.iter().map(|item| item.id));
            match page.next {
                Some(next) => request.cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(found, wanted, "in pages of {limit}");
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_let_through_what_they_name() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let a = remembered(&store, &lesson("team:a", "a", None)).await;
    let b = remembered(&store, &Remember { pin: true, source: Some("user".to_owned()), ..fact("team:a", "b") }).await;
    let past = "2001-01-01T00:00:00Z".parse().unwrap();
    let c = remembered(
        &store,
        &Remember { state: Some("rejected".to_owned()), expires_at: Some(past), ..fact("team:a", "c") },
    )
    .await;
    let cases = [
        (List::default(), vec![a, b, c]),
        (List { kinds: vec!["lesson".to_owned()], ..List::default() }, vec![a]),
        (List { states: vec!["draft".to_owned()], ..List::default() }, vec![a, b]),
        (List { states: vec!["rejected".to_owned(), "draft".to_owned()], ..List::default() }, vec![a, b, c]),
        (List { sources: vec!["user".to_owned()], ..List::default() }, vec![b]),
        (List { pinned: Some(true), ..List::default() }, vec![b]),
        (List { pinned: Some(false), ..List::default() }, vec![a, c]),
        (List { expired: Some(true), ..List::default() }, vec![c]),
        (List { expired: Some(false), ..List::default() }, vec![a, b]),
        (List { kinds: vec!["summary".to_owned()], ..List::default() }, vec![]),
    ];
    for (request, wanted) in cases {
        let page = store.list(&team, &request).await.unwrap();
        let mut found: Vec<_> = page.items.iter().map(|item| item.id).collect();
        found.reverse();
        assert_eq!(found, wanted, "{request:?}");
        assert!(page.next.is_none());
        assert!(page.items.iter().all(|item| item.expired == (item.id == c)));
    }
    let bad = [
        ("kinds", List { kinds: vec!["x".to_owned()], ..List::default() }),
        ("states", List { states: vec!["x".to_owned()], ..List::default() }),
        ("sources", List { sources: vec!["x".to_owned()], ..List::default() }),
        ("limit", List { limit: Some(0), ..List::default() }),
        ("limit", List { limit: Some(1_001), ..List::default() }),
        ("cursor", List { cursor: Some("x".to_owned()), ..List::default() }),
        ("namespace", List { namespaces: vec!["x".to_owned()], ..List::default() }),
    ];
    for (wanted, request) in bad {
        match store.list(&team, &request).await {
            Err(StoreError::Invalid { field, .. }) => assert_eq!(field, wanted),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    test.close().await;
}

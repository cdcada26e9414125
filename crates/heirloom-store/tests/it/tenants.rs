//! A tenant sees nothing and changes nothing outside its scope, by any operation, and every operation works in a pool
//! of one and leaves its connection as it found it.

use heirloom_store::{Forget, List, Recall, Remember, Revise, Scope, Show, StoreError, Transition};

use crate::installed;
use crate::world::{axis, fact, number, remembered, scope, words};

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_sees_and_changes_nothing() {
    let (test, store) = installed().await;
    let new = Remember { embedding: Some(axis(0, 0.0)), ..fact("team:a", "xyzzy") };
    let id = remembered(&store, &new).await;
    for stranger in [scope("team:b"), scope("team:A"), scope("team:a:b"), Scope::new(Vec::<String>::new()).unwrap()] {
        for namespace in [None, Some("team:a".to_owned())] {
            let missing = |error: StoreError| assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
            missing(store.show(&stranger, &Show { id, namespace: namespace.clone() }).await.unwrap_err());
            let change =
                Revise { id, namespace: namespace.clone(), content: Some("x".to_owned()), ..Revise::default() };
            missing(store.revise(&stranger, &change).await.unwrap_err());
            let forget = Forget { id, namespace: namespace.clone(), reason: None };
            missing(store.forget(&stranger, &forget).await.unwrap_err());
            let step = Transition { id, namespace, to: "candidate".to_owned(), ..Transition::default() };
            missing(store.transition(&stranger, &step).await.unwrap_err());
        }
        assert!(store.list(&stranger, &List::default()).await.unwrap().items.is_empty());
        let question = Recall { embedding: Some(axis(0, 0.0)), ..words("xyzzy") };
        assert!(store.recall(&stranger, &question).await.unwrap().hits.is_empty());
        let named = vec!["team:a".to_owned()];
        let asked = store.recall(&stranger, &Recall { namespaces: named.clone(), ..question }).await;
        assert!(matches!(asked, Err(StoreError::Rights(_))));
        let asked = store.list(&stranger, &List { namespaces: named, ..List::default() }).await;
        assert!(matches!(asked, Err(StoreError::Rights(_))));
        assert!(matches!(store.remember(&stranger, &new).await, Err(StoreError::Rights(_))));
    }
    assert_eq!(
        number(
            &store,
            "select count(*) from heirloom.memory where content = 'xyzzy' and version_n = 1 and state = 'draft'"
        )
        .await,
        1
    );
    assert_eq!(number(&store, "select count(*) from heirloom.activity").await, 1);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_of_several_reads_all_and_narrows() {
    let (test, store) = installed().await;
    let a = remembered(&store, &fact("team:a", "xyzzy a")).await;
    let b = remembered(&store, &fact("team:b", "xyzzy b")).await;
    remembered(&store, &fact("team:c", "xyzzy c")).await;
    let both = Scope::new(["team:a", "team:b"]).unwrap();
    let mut found = crate::world::ids(&store.recall(&both, &words("xyzzy")).await.unwrap());
    found.sort();
    let mut wanted = vec![a, b];
    wanted.sort();
    assert_eq!(found, wanted);
    let narrowed = Recall { namespaces: vec!["team:b".to_owned()], ..words("xyzzy") };
    assert_eq!(crate::world::ids(&store.recall(&both, &narrowed).await.unwrap()), [b]);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_comes_back_as_it_was() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let id = remembered(&store, &fact("team:a", "one")).await;
    store.recall(&team, &words("one")).await.unwrap();
    // A refusal in the middle of a transaction rolls back and hands the connection on as well.
    let clash = Remember { id: Some(id), ..fact("team:a", "other") };
    assert!(store.remember(&team, &clash).await.is_err());
    for _ in 0..store.database().pool_size() {
        let client = store.database().client().await.unwrap();
        let row = client
            .query_one(
                "select current_user = session_user, coalesce(current_setting('heirloom.namespaces', true), '')",
                &[],
            )
            .await
            .unwrap();
        assert!(row.get::<_, bool>(0));
        assert_eq!(row.get::<_, &str>(1), "");
    }
    test.close().await;
}

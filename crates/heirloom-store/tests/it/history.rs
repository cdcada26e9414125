//! The history of a memory, its surroundings and its origin, as its own scope may see them.

use heirloom_store::{Forget, Keep, Revise, Show, StoreError, Transition};

use crate::installed;
use crate::world::{behind, fact, remembered, scope};

#[tokio::test(flavor = "multi_thread")]
async fn tells_what_was_said_done_and_forgotten() {
    let (test, store) = installed().await;
    let team = scope("team:a").by("ana").unwrap();
    let id = remembered(&store, &fact("team:a", "one")).await;
    let show = Show { id, namespace: None };
    store.revise(&team, &Revise { id, content: Some("two".to_owned()), ..Revise::default() }).await.unwrap();
    store.keep(&team, &Keep { id, pin: Some(true), ..Keep::default() }).await.unwrap();
    let step =
        Transition { id, to: "candidate".to_owned(), reason: Some("seen twice".to_owned()), ..Transition::default() };
    store.transition(&team, &step).await.unwrap();
    let history = store.history(&team, &show).await.unwrap();
    let said: Vec<_> = history.revisions.iter().map(|old| (old.version, old.content.as_str())).collect();
    assert_eq!(said, [(2, "two"), (1, "one")]);
    assert_eq!(
        (history.transitions[0].to.as_str(), history.transitions[0].reason.as_deref()),
        ("candidate", Some("seen twice"))
    );
    let done: Vec<_> = history.activity.iter().map(|act| act.action.as_str()).collect();
    assert_eq!(done, ["transition", "keep", "revise", "remember"]);
    assert!(history.forgotten.is_none());

    let other = scope("team:b");
    assert!(matches!(store.history(&other, &show).await, Err(StoreError::NotFound { .. })));
    let forget = Forget { id, namespace: None, reason: Some("wrong".to_owned()) };
    store.forget(&team, &forget).await.unwrap();
    let left = store.history(&team, &show).await.unwrap();
    let gone = left.forgotten.as_ref().unwrap();
    assert_eq!((gone.actor.as_str(), gone.reason.as_deref()), ("ana", Some("wrong")));
    assert!(left.revisions.is_empty() && left.transitions.is_empty(), "no text outlives its memory: {left:?}");
    assert_eq!(left.activity[0].action, "forget");
    // A tombstone is its namespace's own, too.
    assert!(matches!(store.history(&other, &show).await, Err(StoreError::NotFound { .. })));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_links_both_ways_and_who_stands_beside() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let mut all = Vec::new();
    for (n, text) in ["first", "second", "third", "fourth"].into_iter().enumerate() {
        let mut new = fact("team:a", text);
        new.created_at = Some(format!("2026-01-0{}T00:00:00Z", n + 1).parse().unwrap());
        all.push(remembered(&store, &new).await);
    }
    remembered(&store, &fact("team:b", "another tenant's")).await;
    let edge = |from: usize, to: usize, relation: &str, weight: f32| {
        format!(
            "insert into heirloom.edge (namespace, source_id, target_id, relation, weight) values ('team:a', '{}', '{}', '{relation}', {weight});",
            all[from], all[to]
        )
    };
    behind(&store, &(edge(1, 0, "supports", 0.5) + &edge(3, 1, "contradicts", 0.9))).await;
    let found = store.links(&team, &Show { id: all[1], namespace: None }).await.unwrap();
    let links: Vec<_> = found.links.iter().map(|link| (link.outward, link.relation.as_str(), link.memory.id)).collect();
    assert_eq!(links, [(false, "contradicts", all[3]), (true, "supports", all[0])]);
    let ids = |side: &[heirloom_store::Neighbour]| side.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!((ids(&found.after), ids(&found.before)), (vec![all[3], all[2]], vec![all[0]]));
    let other = store.links(&scope("team:b"), &Show { id: all[1], namespace: None }).await;
    assert!(matches!(other, Err(StoreError::NotFound { .. })));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_the_source_row_to_its_own_scope_only() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let (born, handed) = (
        remembered(&store, &fact("team:a", "born here")).await,
        remembered(&store, &fact("team:a", "handed down")).await,
    );
    behind(
        &store,
        &format!(
            "insert into heirloom.origin (id, namespace, run_id, source, source_key, source_row, source_digest, written_digest) \
             values ('{handed}', 'team:a', gen_random_uuid(), 'elsewhere', '[\"7\"]', '{{\"a\":  1}}', decode(repeat('0a', 16), 'hex'), decode(repeat('0b', 16), 'hex'))"
        ),
    )
    .await;
    assert!(store.origin(&team, &Show { id: born, namespace: None }).await.unwrap().1.is_none());
    let (memory, origin) = store.origin(&team, &Show { id: handed, namespace: None }).await.unwrap();
    let (origin, _) = origin.unwrap();
    assert_eq!((memory.id, origin.source_row.as_str(), origin.written_digest), (handed, "{\"a\":  1}", [0x0b; 16]));
    let other = store.origin(&scope("team:b"), &Show { id: handed, namespace: None }).await;
    assert!(matches!(other, Err(StoreError::NotFound { .. })));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_one_memory_is_found_without_reading_that_of_all() {
    let (test, store) = installed().await;
    let mut client = store.database().client().await.unwrap();
    client
        .batch_execute(
            "insert into heirloom.activity (action, namespace, memory_id)
             select 'remember', 'team:a', md5((g % 2000)::text)::uuid from generate_series(1, 20000) g;
             analyze heirloom.activity",
        )
        .await
        .unwrap();
    let tx = client.transaction().await.unwrap();
    tx.batch_execute("set local role heirloom_serve; set local heirloom.namespaces = 'team:a'").await.unwrap();
    let ask = include_str!("../../sql/queries/history/activity.sql");
    tx.batch_execute(&format!("prepare past as {ask}")).await.unwrap();
    let plan = crate::plan(&tx, "execute past ('team:a', md5('7')::uuid, 100)").await;
    assert!(plan.iter().any(|line| line.contains("activity_memory")), "{plan:#?}");
    assert!(!plan.iter().any(|line| line.contains("Rows Removed by Filter")), "{plan:#?}");
    drop(tx);
    drop(client);
    test.close().await;
}

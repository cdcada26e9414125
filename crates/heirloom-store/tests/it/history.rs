//! The history of a memory, its surroundings and its origin, as its own scope may see them.

use heirloom_store::{Forget, Keep, LinksOf, PastOf, Revise, Show, StoreError, Transition};

use crate::installed;
use crate::world::{behind, fact, remembered, scope};

#[tokio::test(flavor = "multi_thread")]
async fn tells_what_was_said_done_and_forgotten() {
    let (test, store) = installed().await;
    let team = scope("team:a").by("ana").unwrap();
    let id = remembered(&store, &fact("team:a", "one")).await;
    let past = PastOf { id, ..PastOf::default() };
    store.revise(&team, &Revise { id, content: Some("two".to_owned()), ..Revise::default() }).await.unwrap();
    store.keep(&team, &Keep { id, pin: Some(true), ..Keep::default() }).await.unwrap();
    let step =
        Transition { id, to: "candidate".to_owned(), reason: Some("seen twice".to_owned()), ..Transition::default() };
    store.transition(&team, &step).await.unwrap();
    let history = store.history(&team, &past).await.unwrap();
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
    assert!(matches!(store.history(&other, &past).await, Err(StoreError::NotFound { .. })));
    let forget = Forget { id, namespace: None, reason: Some("wrong".to_owned()) };
    store.forget(&team, &forget).await.unwrap();
    let left = store.history(&team, &past).await.unwrap();
    let gone = left.forgotten.as_ref().unwrap();
    assert_eq!((gone.actor.as_str(), gone.reason.as_deref()), ("ana", Some("wrong")));
    assert!(left.revisions.is_empty() && left.transitions.is_empty(), "no text outlives its memory: {left:?}");
    assert_eq!(left.activity[0].action, "forget");
    // A tombstone is its namespace's own, too.
    assert!(matches!(store.history(&other, &past).await, Err(StoreError::NotFound { .. })));
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
    let found = store.links(&team, &LinksOf { id: all[1], ..LinksOf::default() }).await.unwrap();
    let links: Vec<_> = found.links.iter().map(|link| (link.outward, link.relation.as_str(), link.memory.id)).collect();
    assert_eq!(links, [(false, "contradicts", all[3]), (true, "supports", all[0])]);
    let ids = |side: &[heirloom_store::Neighbour]| side.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!((ids(&found.after), ids(&found.before)), (vec![all[3], all[2]], vec![all[0]]));
    let other = store.links(&scope("team:b"), &LinksOf { id: all[1], ..LinksOf::default() }).await;
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
    let plan = crate::plan(&tx, "execute past ('team:a', md5('7')::uuid, 100, 9223372036854775807)").await;
    assert!(plan.iter().any(|line| line.contains("activity_memory")), "{plan:#?}");
    assert!(!plan.iter().any(|line| line.contains("Rows Removed by Filter")), "{plan:#?}");
    drop(tx);
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_have_pages_whatever_comes_in() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let centre = remembered(&store, &fact("team:a", "the centre")).await;
    let mut others = Vec::new();
    for n in 0..6 {
        others.push(remembered(&store, &fact("team:a", &format!("other {n}"))).await);
    }
    // The same weight and time twice, no time, both ways, and two relations between the same two.
    behind(&store, "update heirloom.memory set created_at = '2026-01-01Z' where content ~ 'other [012]'; update heirloom.memory set created_at = null where content ~ 'other [34]'").await;
    let edge = |from, to, relation: &str, weight: f32| {
        format!(
            "insert into heirloom.edge (namespace, source_id, target_id, relation, weight)
             values ('team:a', '{from}', '{to}', '{relation}', {weight});"
        )
    };
    let mut edges = String::new();
    for (n, other) in others.iter().enumerate() {
        edges += &edge(centre, *other, "supports", 0.1 * (n % 2) as f32 + 0.3);
        edges += &edge(*other, centre, "supports", 0.4);
    }
    edges += &edge(centre, others[0], "is ~ of", 0.3);
    behind(&store, &edges).await;
    let told = |links: &[heirloom_store::Link]| -> Vec<String> {
        links.iter().map(|one| format!("{} {} {}", one.memory.id, one.outward, one.relation)).collect()
    };
    let ask = LinksOf { id: centre, limit: Some(1_000), ..LinksOf::default() };
    let whole = store.links(&team, &ask).await.unwrap();
    let all = told(&whole.links);
    assert_eq!((all.len(), whole.next), (13, None));
    for limit in [1, 2, 3, 5, 12, 13] {
        let mut request = LinksOf { limit: Some(limit), ..ask.clone() };
        let mut found = Vec::new();
        loop {
            let page = store.links(&team, &request).await.unwrap();
            assert!(page.links.len() <= usize::try_from(limit).unwrap());
            found.extend(told(&page.links));
            match page.next {
                Some(next) => request.cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(found, all, "in pages of {limit}");
    }
    // A stronger link and a weaker one, made between two pages: the one has passed, the other is still to come.
    let first = store.links(&team, &LinksOf { limit: Some(4), ..ask.clone() }).await.unwrap();
    let weak = remembered(&store, &fact("team:a", "weak")).await;
    behind(&store, &(edge(weak, centre, "contradicts", 1.0) + &edge(centre, weak, "supports", 0.01))).await;
    let rest = store.links(&team, &LinksOf { cursor: first.next.clone(), ..ask.clone() }).await.unwrap();
    let found = [told(&first.links), told(&rest.links)].concat();
    assert_eq!((&found[..13], &found[13..]), (&all[..], &[format!("{weak} true supports")][..]));
    for (field, wrong) in [
        ("limit", LinksOf { limit: Some(0), ..ask.clone() }),
        ("limit", LinksOf { limit: Some(1_001), ..ask.clone() }),
        ("cursor", LinksOf { cursor: Some("x".to_owned()), ..ask.clone() }),
    ] {
        let got = store.links(&team, &wrong).await;
        assert!(matches!(got, Err(StoreError::Invalid { field: found, .. }) if found == field), "{got:?}");
    }
    let other = store.links(&scope("team:b"), &LinksOf { cursor: first.next, ..ask }).await;
    assert!(matches!(other, Err(StoreError::NotFound { .. })));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_is_shown_with_its_latest_steps_and_its_history_has_them_all() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let id = remembered(&store, &fact("team:a", "often moved")).await;
    behind(
        &store,
        &format!(
            "insert into heirloom.state_transition (namespace, memory_id, from_state, to_state, reason)
             select 'team:a', '{id}', 'draft', 'candidate', g::text from generate_series(1, 120) g"
        ),
    )
    .await;
    let shown = store.show(&team, &Show { id, namespace: None }).await.unwrap();
    let reasons = |steps: &[heirloom_store::Step]| -> Vec<u32> {
        steps.iter().map(|step| step.reason.as_deref().unwrap().parse().unwrap()).collect()
    };
    assert_eq!(reasons(&shown.transitions), (71..=120).collect::<Vec<_>>());
    let (mut past, mut found) = (PastOf { id, limit: Some(50), ..PastOf::default() }, Vec::new());
    loop {
        let page = store.history(&team, &past).await.unwrap();
        found.extend(reasons(&page.transitions));
        match page.next {
            Some(next) => past.after = next,
            None => break,
        }
    }
    assert_eq!(found, (1..=120).collect::<Vec<_>>());
    test.close().await;
}

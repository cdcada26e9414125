//! Listing: order, filters, totals, and pages that neither repeat nor hide a row; and the numbers of an overview.

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

async fn pages(store: &heirloom_store::Store, scope: &Scope, request: &List, limit: i64) -> Vec<Uuid> {
    let mut request = List { limit: Some(limit), ..request.clone() };
    let mut found = Vec::new();
    loop {
        let page = store.list(scope, &request).await.unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap());
        found.extend(page.items.iter().map(|item| item.id));
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pinned_come_first_in_pages_of_any_size() {
    let (test, store) = installed().await;
    let both = Scope::new(["team:a", "team:b"]).unwrap();
    for n in 1..=9_u128 {
        let namespace = if n % 2 == 0 { "team:a" } else { "team:b" };
        let new = Remember { id: Some(Uuid::from_u128(n)), pin: n % 3 == 0, ..fact(namespace, &format!("memory {n}")) };
        remembered(&store, &new).await;
    }
    behind(
        &store,
        "update heirloom.memory set created_at = timestamptz '2026-01-01Z' + (right(id::text, 1)::int % 4) * interval '1 day';
         update heirloom.memory set created_at = null where id::text like any (array['%6', '%7']);",
    )
    .await;
    // By day: 3 and 7 on the 4th, 2 and 6 on the 3rd, 1, 5 and 9 on the 2nd, 4 and 8 on the 1st; 6 and 7 have no time.
    let wanted: Vec<_> = [3, 9, 6, 2, 1, 5, 4, 8, 7].map(Uuid::from_u128).to_vec();
    let order = Some("pinned".to_owned());
    for limit in 1..=10 {
        let request = List { order: order.clone(), ..List::default() };
        assert_eq!(pages(&store, &both, &request, limit).await, wanted, "in pages of {limit}");
        let request = List { order: order.clone(), pinned: Some(true), ..List::default() };
        assert_eq!(pages(&store, &both, &request, limit).await, wanted[..3], "the pinned in pages of {limit}");
        let request = List { order: order.clone(), pinned: Some(false), ..List::default() };
        assert_eq!(pages(&store, &both, &request, limit).await, wanted[3..], "the others in pages of {limit}");
    }
    let first = store.list(&both, &List { limit: Some(1), order, ..List::default() }).await.unwrap();
    let mixed = List { cursor: first.next, ..List::default() };
    assert!(matches!(store.list(&both, &mixed).await, Err(StoreError::Invalid { field: "cursor", .. })));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_of_the_doors_and_its_total() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let a = remembered(&store, &lesson("team:a", "100% of_it\\", None)).await;
    let b = remembered(
        &store,
        &Remember {
            metadata: Some(serde_json::json!({"tags": ["red", "blue"]})),
            expires_at: Some(soon.into()),
            ..lesson("team:a", "1000 offit", Some("abc"))
        },
    )
    .await;
    let c = remembered(
        &store,
        &Remember { topic: Some("jwt".to_owned()), state: Some("archived".to_owned()), ..fact("team:a", "ÄRGER red") },
    )
    .await;
    behind(
        &store,
        &format!(
            "insert into heirloom.origin values ('{c}', 'team:a', gen_random_uuid(), 's', '[]', '{{}}',
                 decode(repeat('00', 16), 'hex'), decode(repeat('00', 16), 'hex'))"
        ),
    )
    .await;
    let text = |text: &str| List { text: Some(text.to_owned()), ..List::default() };
    let later = soon + jiff::SignedDuration::from_secs(1);
    let cases = [
        (List { role: Some("reviewer".to_owned()), ..List::default() }, vec![a, b]),
        (List { topic: Some("jwt".to_owned()), ..List::default() }, vec![c]),
        (List { tag: Some("red".to_owned()), ..List::default() }, vec![b]),
        (List { tag: Some("re".to_owned()), ..List::default() }, vec![]),
        (List { unverified: Some(true), ..List::default() }, vec![a]),
        (List { unverified: Some(false), ..List::default() }, vec![b, c]),
        (List { migrated: Some(true), ..List::default() }, vec![c]),
        (List { migrated: Some(false), ..List::default() }, vec![a, b]),
        (List { expiring_before: Some(later.into()), ..List::default() }, vec![b]),
        (List { expiring_before: Some(soon.into()), ..List::default() }, vec![]),
        (List { recallable: true, ..List::default() }, vec![b]),
        (text("100%"), vec![a]),
        (text("f_i"), vec![a]),
        (text("\\"), vec![a]),
        (text("%"), vec![a]),
        (text("OF"), vec![a, b]),
        (text(""), vec![a, b, c]),
        (text("nowhere"), vec![]),
        (List { recallable: true, order: Some("pinned".to_owned()), ..List::default() }, vec![b]),
    ];
    for (request, wanted) in cases {
        let page = store.list(&team, &List { total: true, limit: Some(1), ..request.clone() }).await.unwrap();
        assert_eq!(page.total, i64::try_from(wanted.len()).ok(), "{request:?}");
        let mut found = pages(&store, &team, &request, 2).await;
        found.reverse();
        assert_eq!(found, wanted, "{request:?}");
    }
    store.patch_namespace(&team, "team:a", Some(Some("2001-01-01T00:00:00Z".parse().unwrap())), None).await.unwrap();
    let request = List { recallable: true, total: true, ..List::default() };
    let page = store.list(&team, &request).await.unwrap();
    assert!(page.items.is_empty() && page.total == Some(0), "a namespace that ended shows nothing");
    for (wanted, request) in [
        ("text", text("a\0")),
        ("text", text(&"x".repeat(1_025))),
        ("order", List { order: Some("oldest".to_owned()), ..List::default() }),
        ("role", List { role: Some(" ".to_owned()), ..List::default() }),
        ("tag", List { tag: Some("a\0".to_owned()), ..List::default() }),
    ] {
        match store.list(&team, &request).await {
            Err(StoreError::Invalid { field, .. }) => assert_eq!(field, wanted),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_page_is_read_along_the_index() {
    let (test, store) = installed().await;
    behind(
        &store,
        "insert into heirloom.memory (namespace, kind, content, created_at, pin)
         select 'team:a', 'fact', 'memory ' || n, timestamptz '2026-01-01Z' + (n / 3000) * interval '1 second', n % 1000 = 0
         from generate_series(1, 12000) n;
         analyze heirloom.memory;",
    )
    .await;
    let mut client = store.database().client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    tx.batch_execute(
        "set local role heirloom_serve; set local heirloom.namespaces = 'team:a'; set local plan_cache_mode = force_generic_plan",
    )
    .await
    .unwrap();
    let page = include_str!("../../sql/queries/list/page.sql");
    for (statement, index, arguments) in [
        (page.to_owned(), "memory_created", "1, '2026-01-01 00:00:01Z', '80000000-0000-0000-0000-000000000000'"),
        (page.to_owned(), "memory_created", "0, 'infinity', '00000000-0000-0000-0000-000000000000'"),
        (
            page.replace("true /* pinned */", "m.pin"),
            "memory_pinned",
            "0, 'infinity', '00000000-0000-0000-0000-000000000000'",
        ),
    ] {
        tx.batch_execute(&format!("prepare page as {statement}")).await.unwrap();
        let ask = format!(
            "execute page ('{{team:a}}', '{{}}', '{{}}', '{{}}', null, null, {arguments}, 51, null, null, null, null, null, \
             null, false, null)"
        );
        let plan = crate::plan(&tx, &ask).await;
        assert!(plan.iter().any(|line| line.contains(index)), "{plan:#?}");
        let most = plan
            .iter()
            .filter_map(|line| line.split("Rows Removed by Filter: ").nth(1))
            .filter_map(|rows| rows.parse::<u32>().ok())
            .max();
        assert!(most.unwrap_or(0) < 200, "{plan:#?}");
        assert!(!plan.iter().any(|line| line.contains("Seq Scan on memory")), "{plan:#?}");
        tx.batch_execute("deallocate page").await.unwrap();
    }
    drop(tx);
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_lead_to_every_page() {
    let (test, store) = installed().await;
    let both = Scope::new(["team:a", "team:b"]).unwrap();
    for n in 0..47 {
        remembered(&store, &fact(if n % 3 == 0 { "team:a" } else { "team:b" }, &format!("memory {n}"))).await;
    }
    // Some of one instant, some without a time.
    behind(
        &store,
        "update heirloom.memory set created_at = '2026-01-01Z' where content ~ '[13]$';
         update heirloom.memory set created_at = null where content ~ '5$';",
    )
    .await;
    let all = store.list(&both, &List { limit: Some(1_000), marks: Some(10), ..List::default() }).await.unwrap();
    let marks = all.marks.unwrap();
    assert_eq!((all.total, marks.len()), (Some(47), 4));
    for (page, cursor) in marks.iter().enumerate() {
        let request = List { limit: Some(10), cursor: Some(cursor.clone()), ..List::default() };
        let found = store.list(&both, &request).await.unwrap();
        let wanted = &all.items[(page + 1) * 10..];
        assert_eq!(found.items, wanted[..wanted.len().min(10)], "page {}", page + 1);
    }
    let one = List { marks: Some(10), kinds: vec!["lesson".to_owned()], ..List::default() };
    let none = store.list(&both, &one).await.unwrap();
    assert_eq!((none.total, none.marks), (Some(0), Some(Vec::new())));
    let even = List { marks: Some(47), limit: Some(10), ..List::default() };
    assert_eq!(store.list(&both, &even).await.unwrap().marks, Some(Vec::new()), "nothing follows the last");
    for bad in [
        List { marks: Some(9), ..List::default() },
        List { marks: Some(1_001), ..List::default() },
        List { marks: Some(10), order: Some("pinned".to_owned()), ..List::default() },
    ] {
        assert!(matches!(store.list(&both, &bad).await, Err(StoreError::Invalid { field: "marks", .. })), "{bad:?}");
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overview_adds_up() {
    let (test, store) = installed().await;
    let both = Scope::new(["team:a", "team:b"]).unwrap();
    remembered(&store, &lesson("team:a", "ghost", None)).await;
    remembered(&store, &Remember { pin: true, ..lesson("team:a", "proven", Some("abc")) }).await;
    for (n, expires) in [(1, "2001-01-01T00:00:00Z"), (2, "2999-01-01T00:00:00Z")] {
        let new = Remember { expires_at: Some(expires.parse().unwrap()), ..fact("team:b", &format!("fact {n}")) };
        remembered(&store, &Remember { created_at: Some("2020-05-05T23:59:59Z".parse().unwrap()), ..new }).await;
    }
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let new = Remember {
        expires_at: Some(soon.into()),
        embedding: Some(crate::world::axis(0, 0.0)),
        ..fact("team:b", "soon")
    };
    remembered(&store, &new).await;
    remembered(&store, &fact("team:c", "another tenant's")).await;
    let stats = store.stats(&both).await.unwrap();
    assert_eq!((stats.memories, stats.ghosts, stats.expired, stats.expiring), (5, 1, 1, 1));
    assert_eq!((stats.pinned, stats.embedded, stats.migrated), (1, 1, 0));
    let counts: Vec<_> = stats
        .counts
        .iter()
        .map(|count| format!("{} {} {} {}", count.namespace, count.kind, count.state, count.memories))
        .collect();
    assert_eq!(counts, ["team:a lesson draft 2", "team:b fact draft 3"]);
    assert_eq!(stats.days.len(), 3, "today's of two kinds, and one day of long ago");
    assert_eq!((stats.days[2].day.as_str(), stats.days[2].memories), ("2020-05-05", 2));
    assert_eq!((stats.days[2].kind.as_str(), stats.days[2].state.as_str()), ("fact", "draft"));
    let ahead: Vec<_> = stats.ahead.iter().map(|one| one.memories).collect();
    assert_eq!(ahead, [1], "what expired and what is years away is not ahead");
    let facets: Vec<_> =
        stats.facets.iter().map(|one| format!("{} {} {}", one.facet, one.word, one.memories)).collect();
    assert_eq!(facets, ["role reviewer 2", "source agent 5", "topic caching 2"]);
    let nothing = Scope::new(Vec::<String>::new()).unwrap();
    assert_eq!(store.stats(&nothing).await.unwrap(), heirloom_store::Stats::default());
    test.close().await;
}

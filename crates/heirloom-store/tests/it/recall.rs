//! Recall: what matches, in what order, and why.

use heirloom_store::{MAX_QUESTION_BYTES, Recall, Remember, StoreError};
use uuid::Uuid;

use crate::installed;
use crate::world::{axis, behind, fact, ids, number, remembered, scope, words};

fn vector(embedding: Vec<f32>) -> Recall {
    Recall { embedding: Some(embedding), ..Recall::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_subset_of_the_words_matches_and_rare_ones_count_for_more() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let both = remembered(&store, &fact("team:a", "Rotating the JWT signing keys broke every login")).await;
    let rare = remembered(&store, &fact("team:a", "A keys ceremony happens in May")).await;
    for n in 0..6 {
        remembered(&store, &fact("team:a", &format!("The login page was slow on day {n}"))).await;
    }
    let other = remembered(&store, &fact("team:a", "Nothing to see")).await;
    let found = store.recall(&team, &words("which key rotations break logins?")).await.unwrap();
    let order = ids(&found);
    assert_eq!(order[..2], [both, rare], "stemmed, by any word, the rarer word first");
    assert_eq!(order.len(), 8);
    assert!(!order.contains(&other));
    assert!(found.hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn function_words_alone_find_what_holds_them_and_never_outweigh_a_word() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let meant = remembered(&store, &fact("team:a", "deadlock")).await;
    let chatty = remembered(&store, &fact("team:a", "when did they do this and when did they do that")).await;
    for n in 0..4 {
        remembered(&store, &fact("team:a", &format!("filler number {n}"))).await;
    }
    assert_eq!(ids(&store.recall(&team, &words("when did they")).await.unwrap()), [chatty]);
    let order = ids(&store.recall(&team, &words("when did they see the deadlock")).await.unwrap());
    assert_eq!(order[0], meant);
    // With a vector, function words leave it alone.
    let near = remembered(&store, &Remember { embedding: Some(axis(0, 0.0)), ..fact("team:a", "vectors") }).await;
    let found = store.recall(&team, &Recall { embedding: Some(axis(0, 0.1)), ..words("when did they") }).await.unwrap();
    assert_eq!((found.hits[0].id, found.hits[0].lexical), (near, 0.0));
    assert!((found.hits[0].semantic - 1.0).abs() < 1e-9);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_of_every_shape_are_answered() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let cache = remembered(&store, &fact("team:a", "statement_cache_mode must be describe behind PgBouncer")).await;
    let tokyo = remembered(&store, &fact("team:a", "明日の東京都の天気は雨です")).await;
    let thai = remembered(&store, &fact("team:a", "ประชุมพรุ่งนี้ตอนเช้า")).await;
    let quote = remembered(&store, &fact("team:a", r"the path C:\temp & 'quoted' | (parens) !bang <-> :* x")).await;
    for (question, wanted) in [
        ("statement_cache_mode", cache),
        ("cache mode", cache),
        ("statement", cache),
        ("PGBOUNCER", cache),
        ("東京", tokyo),
        ("東京の天気は?", tokyo),
        ("雨", tokyo),
        ("พรุ่งนี้", thai),
        (r"C:\temp & | ! ( ) 'quoted' <-> :*", quote),
        ("parens' | ", quote),
    ] {
        let found = ids(&store.recall(&team, &words(question)).await.unwrap());
        assert_eq!(found.first(), Some(&wanted), "{question}");
    }
    for nothing in ["quetzalcoatl", "!!!", "🎉", "北極", "& | !"] {
        let found = store.recall(&team, &words(nothing)).await.unwrap();
        assert!(found.hits.is_empty(), "{nothing}: {:?}", found.hits);
        assert_eq!(found.ghosts_left_out, 0);
    }
    let long: String = (0..).map(|n| format!("w{n} ")).take(1_000).collect::<String>() + "pgbouncer";
    assert!(long.len() > 4_500);
    assert_eq!(ids(&store.recall(&team, &words(&long)).await.unwrap()), [cache]);
    let longest = "東京 ab ".repeat(MAX_QUESTION_BYTES / 10);
    assert_eq!(ids(&store.recall(&team, &words(&longest)).await.unwrap()), [tokyo]);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_and_vectors_add_up() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let near = remembered(&store, &Remember { embedding: Some(axis(0, 0.1)), ..fact("team:a", "alpha") }).await;
    let far = remembered(&store, &Remember { embedding: Some(axis(0, 2.0)), ..fact("team:a", "beta") }).await;
    let away = remembered(&store, &Remember { embedding: Some(vec![-1.0]), ..fact("team:a", "gamma") }).await;
    let bare = remembered(&store, &fact("team:a", "beta beta")).await;

    let found = store.recall(&team, &vector(axis(0, 0.0))).await.unwrap();
    assert_eq!(ids(&found), [near, far], "what points away is no match, what has no vector is not compared");
    let similarity = found.hits[1].similarity.unwrap();
    assert!((similarity - 1.0 / 5_f64.sqrt()).abs() < 1e-6, "{similarity}");

    let found = store.recall(&team, &Recall { embedding: Some(axis(0, 0.0)), ..words("beta") }).await.unwrap();
    assert_eq!(ids(&found), [far, bare, near]);
    for hit in &found.hits {
        assert!((hit.score - (hit.lexical + hit.semantic + hit.context + hit.boost)).abs() < 1e-9, "{hit:?}");
        assert!(hit.lexical <= 0.6 && hit.semantic <= 0.4 && hit.context >= 0.0);
    }
    assert!(found.hits[1].similarity.is_none() && found.hits[1].semantic == 0.0);
    // A side that is absent leaves the other the whole weight.
    assert!((store.recall(&team, &words("beta")).await.unwrap().hits[0].lexical - 1.0).abs() < 1e-9);
    let unknown = Recall { embedding: Some(axis(0, 0.0)), ..words("quetzalcoatl") };
    assert!((store.recall(&team, &unknown).await.unwrap().hits[0].semantic - 1.0).abs() < 1e-9);
    // What points away is still found by its words.
    let gamma = Recall { embedding: Some(axis(0, 0.0)), ..words("gamma") };
    assert!(ids(&store.recall(&team, &gamma).await.unwrap()).contains(&away));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_of_another_model_are_not_compared() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let with = |model: Option<&str>, content: &str| Remember {
        embedding: Some(axis(0, 0.0)),
        embedding_model: model.map(str::to_owned),
        ..fact("team:a", content)
    };
    let same = remembered(&store, &with(Some("m1"), "one")).await;
    let other = remembered(&store, &with(Some("m2"), "two")).await;
    let unnamed = remembered(&store, &with(None, "three")).await;
    let asked = Recall { embedding_model: Some("m1".to_owned()), ..vector(axis(0, 0.0)) };
    let mut found = ids(&store.recall(&team, &asked).await.unwrap());
    found.sort();
    let mut wanted = vec![same, unnamed];
    wanted.sort();
    assert_eq!(found, wanted);
    let by_word = Recall { query: Some("two".to_owned()), ..asked };
    let found = store.recall(&team, &by_word).await.unwrap();
    let hit = found.hits.iter().find(|hit| hit.id == other).unwrap();
    assert!(hit.similarity.is_none() && hit.lexical > 0.0);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_is_score_then_newest_then_id() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    for n in [5_u128, 3, 1, 4, 2] {
        remembered(&store, &Remember { id: Some(Uuid::from_u128(n)), ..fact("team:a", "the same words") }).await;
    }
    behind(
        &store,
        "update heirloom.memory set created_at = '2026-01-01Z';
         update heirloom.memory set created_at = '2026-02-01Z' where id::text like '%5';
         update heirloom.memory set created_at = null where id::text like '%1'",
    )
    .await;
    let wanted = [5, 2, 3, 4, 1].map(Uuid::from_u128);
    for limit in 1..=6_i64 {
        let asked = Recall { limit: Some(limit), ..words("same words") };
        let first = store.recall(&team, &asked).await.unwrap();
        let size = usize::try_from(limit).unwrap().min(5);
        assert_eq!(ids(&first), wanted[..size]);
        assert_eq!(store.recall(&team, &asked).await.unwrap(), first, "twice the same");
    }
    // Boosts are small and tell of themselves.
    behind(
        &store,
        "update heirloom.memory set pin = true, importance = 5, state = 'canonical' where id::text like '%3'",
    )
    .await;
    let found = store.recall(&team, &words("same words")).await.unwrap();
    assert_eq!(found.hits[0].id, Uuid::from_u128(3));
    assert!((found.hits[0].boost - 0.07).abs() < 1e-9 && found.hits[1].boost == 0.0);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_filter_and_bad_questions_are_refused() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    remembered(&store, &fact("team:a", "xyzzy")).await;
    let summary = Remember { kind: Some("summary".to_owned()), ..fact("team:a", "xyzzy") };
    let summary = remembered(&store, &summary).await;
    let asked = Recall { kinds: vec!["summary".to_owned()], ..words("xyzzy") };
    assert_eq!(ids(&store.recall(&team, &asked).await.unwrap()), [summary]);
    let bad = [
        ("query", Recall::default()),
        ("query", words(" ")),
        ("query", words("a\0b")),
        ("query", words(&"x".repeat(MAX_QUESTION_BYTES + 1))),
        ("embedding", vector(vec![])),
        ("embedding", vector(vec![1.0; 1025])),
        ("embedding", vector(vec![f32::NAN])),
        ("embedding", vector(vec![0.0; 1024])),
        ("kinds", Recall { kinds: vec!["x".to_owned()], ..words("x") }),
        ("limit", Recall { limit: Some(0), ..words("x") }),
        ("limit", Recall { limit: Some(1_001), ..words("x") }),
        ("namespace", Recall { namespaces: vec!["x".to_owned()], ..words("x") }),
    ];
    for (wanted, question) in bad {
        match store.recall(&team, &question).await {
            Err(StoreError::Invalid { field, .. }) => assert_eq!(field, wanted),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_function_writes_nothing_and_needs_no_search_path() {
    let (test, store) = installed().await;
    remembered(&store, &Remember { embedding: Some(axis(0, 0.0)), ..fact("team:a", "xyzzy") }).await;
    let mut client = store.database().client().await.unwrap();
    let tx = client.build_transaction().read_only(true).start().await.unwrap();
    tx.batch_execute(
        "set local role heirloom_serve; set local heirloom.namespaces = 'team:a'; set local search_path = ''",
    )
    .await
    .unwrap();
    let sql = "select count(*) from heirloom.recall('xyzzy', (select embedding from heirloom.memory), '{team:a,team:b}', k => null)";
    assert_eq!(tx.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 1);
    let none = "select count(*) from heirloom.recall('xyzzy', null, '{team:a}', 0)";
    assert_eq!(tx.query_one(none, &[]).await.unwrap().get::<_, i64>(0), 0);
    let nothing = "select count(*) from heirloom.recall(null, null, '{team:a}')";
    assert_eq!(tx.query_one(nothing, &[]).await.unwrap().get::<_, i64>(0), 0);
    drop(tx);
    drop(client);
    assert_eq!(
        number(&store, "select count(*) from heirloom.memory where use_count = 0 and updated_at = created_at").await,
        1
    );
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbours_of_a_good_hit_come_up_within_their_session_and_nowhere_else() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let said = |run: &str, content: &str| Remember { source_run_id: Some(run.to_owned()), ..fact("team:a", content) };
    remembered(&store, &said("r1", "good morning everybody")).await;
    let asked = remembered(&store, &said("r1", "which database did we choose for billing")).await;
    let answer = remembered(&store, &said("r1", "the blue one, because of its backups")).await;
    let other = remembered(&store, &said("r2", "nothing to see here")).await;
    let found = store.recall(&team, &words("database for billing")).await.unwrap();
    assert_eq!(ids(&found)[..2], [asked, answer]);
    assert!(found.hits[1].context > 0.0 && found.hits[1].lexical == 0.0);
    assert!(!ids(&found).contains(&other), "another session");

    // A row that may not be shown lifts nobody and takes no place between two that may.
    behind(&store, &format!("update heirloom.memory set is_active = false where id = '{asked}'")).await;
    assert!(store.recall(&team, &words("database for billing")).await.unwrap().hits.is_empty());
    behind(&store, &format!("update heirloom.memory set is_active = true where id = '{asked}'")).await;

    // Rows of one time have no order.
    behind(&store, "update heirloom.memory set created_at = '2026-01-01Z'").await;
    assert_eq!(ids(&store.recall(&team, &words("database for billing")).await.unwrap()), [asked]);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_a_neighbour_must_match_by_itself_and_be_near_in_time() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let hit = remembered(&store, &fact("team:a", "the walrus eats clams and sleeps on ice")).await;
    let near = remembered(&store, &fact("team:a", "a walrus was seen")).await;
    remembered(&store, &fact("team:a", "nothing alike")).await;
    let found = store.recall(&team, &words("walrus clams ice")).await.unwrap();
    assert_eq!(ids(&found), [hit, near]);
    assert!(found.hits[1].context > 0.0);
    behind(
        &store,
        &format!("update heirloom.memory set created_at = created_at - interval '31 minutes' where id = '{hit}'"),
    )
    .await;
    assert!(store.recall(&team, &words("walrus clams ice")).await.unwrap().hits[1].context == 0.0);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phrase_is_required_if_anything_has_it_and_a_minus_refuses() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let phrase = remembered(&store, &fact("team:a", "we rotate the signing key every week")).await;
    let apart = remembered(&store, &fact("team:a", "the key to signing contracts is patience; rotate crops")).await;
    let code = remembered(&store, &fact("team:a", "run cargo with --release and -p heirloom, never -1")).await;
    let ask = async |question: &str| {
        let mut found = ids(&store.recall(&team, &words(question)).await.unwrap());
        found.sort();
        found
    };
    let both = {
        let mut both = vec![phrase, apart];
        both.sort();
        both
    };
    assert_eq!(ask("signing key").await, both);
    assert_eq!(ask("\"signing key\"").await, [phrase]);
    assert_eq!(ask("\"signing key\" rotate").await, [phrase]);
    assert_eq!(ask("\"no such phrase\" signing").await, both, "a phrase nobody said asks with its words");
    assert_eq!(ask("rotate -patience").await, [phrase]);
    assert_eq!(ask("rotate -\"signing key\"").await, [apart]);
    assert_eq!(ask("signing OR cargo").await.len(), 3);
    for question in ["cargo --release", "cargo -p", "cargo -1"] {
        assert_eq!(ask(question).await, [code], "{question}");
    }
    assert_eq!(ask("\"signing key").await, both, "a quote that does not end is no phrase");
    assert!(ask("-patience").await.is_empty());
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plurals_identifiers_dates_and_other_scripts_are_found() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    for filler in ["the weather is fine", "lunch is at noon", "a third thing", "a fourth thing"] {
        remembered(&store, &fact("team:a", filler)).await;
    }
    for (content, questions) in [
        ("Tokens are rotated nightly", vec!["token rotation", "rotating tokens", "TOKEN"]),
        (
            "set statement_cache_mode=describe for PgBouncer",
            vec!["statement_cache_mode", "statementCacheMode", "cache mode", "StatementCacheMode"],
        ),
        ("parseHttpHeader fails on folded lines", vec!["parse_http_header", "http header", "parsehttpheader"]),
        ("see crates/store/src/main.rs:42", vec!["main.rs", "crates/store", "store/src/main.rs"]),
        ("released on 2026-11-22 as v1.4.2", vec!["2026-11-22", "1.4.2", "v1.4.2"]),
        ("the invoice was 12,480 euros", vec!["12,480", "invoices"]),
        ("Ключи подписи меняются каждую неделю", vec!["ключи ПОДПИСИ", "неделю"]),
        ("東京の天気は雨です", vec!["東京", "天気", "雨", "京の天"]),
        ("部署流程需要两次审批", vec!["审批", "部署流程", "两次"]),
        ("배포는 금요일에 하지 않는다", vec!["배포", "금요일"]),
    ] {
        let wanted = remembered(&store, &fact("team:a", content)).await;
        for question in questions {
            let found = store.recall(&team, &words(question)).await.unwrap();
            assert_eq!(found.hits.first().map(|hit| hit.id), Some(wanted), "{question}");
        }
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_nobody_knows_lowers_nothing_and_empties_nothing() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let wanted = remembered(&store, &fact("team:a", "deployments freeze on Friday")).await;
    for n in 0..20 {
        remembered(&store, &fact("team:a", &format!("unrelated remark {n}"))).await;
    }
    for question in
        ["friday quetzalcoatl", "please, when do deployments freeze xyzzy plugh?", "freeze \"never said so\""]
    {
        assert_eq!(
            store.recall(&team, &words(question)).await.unwrap().hits.first().map(|hit| hit.id),
            Some(wanted),
            "{question}"
        );
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hit_shows_is_looked_up_and_no_table_is_read_for_it() {
    let (test, store) = installed().await;
    behind(
        &store,
        "insert into heirloom.memory (id, namespace, kind, content)
         select gen_random_uuid(), 'team:a', 'fact', 'note ' || g || ' of word' || g % 50 from generate_series(1, 3000) g;
         analyze heirloom.memory;",
    )
    .await;
    let mut client = store.database().client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    tx.batch_execute("set local role heirloom_serve; set local heirloom.namespaces = 'team:a'").await.unwrap();
    let statement = include_str!("../../sql/queries/recall.sql");
    tx.batch_execute(&format!("prepare asked as {statement}")).await.unwrap();
    let plan = crate::plan(&tx, "execute asked ('word7', null, '{team:a}', 10, null, false, null, true, null)").await;
    assert!(plan.iter().any(|line| line.contains("Function Scan on recall")), "{plan:#?}");
    assert!(!plan.iter().any(|line| line.contains("Seq Scan on memory")), "{plan:#?}");
    drop(tx);
    drop(client);
    test.close().await;
}

//! A plugin that fails as things behind HTTP fail: every row arrives once, or the run ends and says how to go on.

use std::sync::Arc;
use std::time::Duration;

use heirloom_migrate::MigrateError;
use heirloom_migrate::apply::Options;
use heirloom_migrate::ledger::{self, RejectFilter};
use heirloom_migrate::mapping::RejectCode;
use serde_json::json;
use tokio::sync::Barrier;

use crate::pgmnemo_ground::{apply_into, plan_into, verify_against};
use crate::plugin_ground::{Beside, Fault, LEGACY, file};
use crate::support::said;

const TROUBLE: [Fault; 12] = [
    Fault::None,
    Fault::Status(503),
    Fault::Cut,
    Fault::Status(429),
    Fault::None,
    Fault::Garbage,
    Fault::Silent,
    Fault::Status(500),
    Fault::After(0),
    Fault::Status(502),
    Fault::Cut,
    Fault::Status(504),
];

#[tokio::test(flavor = "multi_thread")]
async fn faults_in_any_order_leave_each_row_once() {
    for lanes in [1, 4] {
        let beside = Beside::new(LEGACY).await;
        let plan = beside.plan(8).await.unwrap();
        assert_eq!(plan.refusals, Vec::<String>::new());
        beside.fake.there().script.extend(TROUBLE);
        let applied = beside.apply(&plan, lanes).await.unwrap();
        assert_eq!((applied.inserted, applied.rejected, applied.chunks_done), (30, 0, 4));
        assert_eq!(beside.fake.there().memories.len(), 30);
        assert_eq!(beside.fake.asked("PUT namespaces"), 2, "each namespace once");
        // Nine of twelve came to nothing for who sent them.
        assert_eq!(beside.fake.asked("POST memories"), 30 + 10);
        assert_eq!(beside.fake.there().authorization, "Bearer the-token");
        let found = beside.verify(&plan).await.unwrap();
        assert!(found.holds, "{:#?}", found.differences);
        assert_eq!((found.equal, found.unseen, found.live_rows), (30, 0, 0));
        let sent = beside.fake.asked("POST memories");
        let again = beside.apply(&plan, lanes).await.unwrap();
        assert_eq!((again.written, again.present), (0, 30));
        assert_eq!(beside.fake.asked("POST memories"), sent, "nothing was sent again");
        beside.ground.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_as_long_as_it_is_asked_to() {
    let beside = Beside::new(LEGACY).await;
    let plan = beside.plan(50).await.unwrap();
    beside.fake.there().script.push_back(Fault::After(1));
    assert_eq!(beside.apply(&plan, 8).await.unwrap().inserted, 30);
    let away = beside.fake.there().stayed_away.unwrap();
    // The others were under way already, or came after a second.
    assert!(away < Duration::from_millis(500) || away >= Duration::from_secs(1), "{away:?}");
    beside.fake.there().memories.clear();
    beside.ground.sql("delete from heirloom_migrate.delivered").await;
    let plan = beside.plan(50).await.unwrap();
    beside.fake.there().script.push_back(Fault::After(1));
    assert_eq!(beside.apply(&plan, 1).await.unwrap().inserted, 30);
    let away = beside.fake.there().stayed_away.unwrap();
    assert!(away >= Duration::from_secs(1), "a lone one waits: {away:?}");
    beside.ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_only_an_origin_would_keep_is_lost_and_the_plan_says_so() {
    let beside = Beside::new(LEGACY).await;
    beside.ground.sql("alter table note add column mood text").await;
    let plan = beside.plan(50).await.unwrap();
    assert_eq!(plan.refusals.len(), 1);
    assert!(plan.refusals[0].starts_with("Column mood would be lost"), "{:?}", plan.refusals);
    assert!(said(beside.apply(&plan, 1).await).contains("Column mood would be lost"));
    let dropped = file().replace("[reject]", "[keep]\ndrop = { mood = \"nobody reads it\" }\n[reject]");
    let plan = plan_into(&beside.ground, &beside.fake.target(1), &dropped, 50).await.unwrap();
    assert_eq!(plan.refusals, Vec::<String>::new());
    beside.ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_go_at_a_time_and_no_more() {
    let beside = Beside::new(LEGACY).await;
    let plan = beside.plan(15).await.unwrap();
    // Thirty writes that each wait for two others: fewer at a time would never be answered.
    beside.fake.there().gathers = Some(Arc::new(Barrier::new(3)));
    let options = Options { workers: Some(2), ..Options::default() };
    let applied = apply_into(&beside.ground, &beside.fake.target(3), &plan, options).await.unwrap();
    assert_eq!(applied.inserted, 30);
    assert_eq!(beside.fake.there().most_at_once, 3);
    beside.ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stays_away_ends_the_run_which_goes_on_later() {
    let beside = Beside::new(LEGACY).await;
    let plan = beside.plan(10).await.unwrap();
    beside.fake.there().script.extend([Fault::None; 14]);
    beside.fake.there().always = Some(Fault::Status(503));
    let options = || Options { workers: Some(1), ..Options::default() };
    let failed = apply_into(&beside.ground, &beside.fake.target_with(1, 4), &plan, options()).await.unwrap_err();
    assert!(matches!(failed, MigrateError::Away { .. }) && !failed.is_transient());
    let words = failed.to_string();
    assert!(
        words.starts_with(&format!("The plugin at {} answers HTTP 503 4 times in a row; ", beside.fake.url)),
        "{words}"
    );
    assert!(words.ends_with("give the same command again to go on"), "{words}");
    assert_eq!(beside.fake.asked("POST memories"), 14 + 4, "and is left alone then");
    assert_eq!(beside.ground.one("select count(*) from heirloom_migrate.delivered").await, "10", "one chunk is done");

    // Somebody changes one of those that are there and that nobody was told of.
    let unknown = "select id from note where id not in (select id from heirloom_migrate.delivered) order by id limit 1";
    let id = beside.ground.one(unknown).await;
    beside.fake.there().memories.get_mut(&id).unwrap().1["content"] = json!("edited since");
    beside.fake.there().always = None;
    let resumed = apply_into(&beside.ground, &beside.fake.target(4), &plan, options()).await.unwrap();
    assert_eq!((resumed.chunks_done, resumed.inserted, resumed.present, resumed.conflicts), (3, 16, 13, 1));
    assert_eq!(beside.fake.there().memories[&id].1["content"], "edited since", "it is not written over");
    assert_eq!(beside.fake.asked("POST memories"), 14 + 4 + 16, "nothing twice");
    beside.ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_write_is_not_believed_to_be_well() {
    let beside = Beside::new(LEGACY).await;
    let plan = beside.plan(50).await.unwrap();
    beside.fake.there().always = Some(Fault::Status(500));
    let words = said(beside.apply(&plan, 1).await);
    assert!(words.contains("to 10 memories in a row, and calls itself well"), "{words}");
    assert_eq!(beside.fake.asked("POST memories"), 30, "three times each");
    assert_eq!(beside.ground.one("select count(*) from heirloom_migrate.reject").await, "0", "no row is to blame");
    beside.ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_does_not_take_is_set_aside_with_its_reason() {
    for (status, words) in [
        (500, "HTTP 500, bad_request, content"),
        (400, "HTTP 400, bad_request, content"),
        (409, "that was not forgotten there"),
        (413, "accepted: a shorter one"),
    ] {
        let beside = Beside::new(LEGACY).await;
        let plan = beside.plan(50).await.unwrap();
        beside.fake.there().poison = Some(("note 9 ".into(), status));
        let applied = beside.apply(&plan, 4).await.unwrap();
        assert_eq!((applied.inserted, applied.rejected), (29, 1), "{status}");
        let rejects = {
            let client = beside.ground.db.database().client().await.unwrap();
            let filter = RejectFilter { name: None, source: None, open_only: true, after: 0, limit: 9, by_key: true };
            ledger::list_rejects(&client, &filter).await.unwrap()
        };
        assert_eq!((rejects.len(), rejects[0].code), (1, RejectCode::Database));
        assert!(rejects[0].message.contains(words), "{}", rejects[0].message);
        assert!(!rejects[0].message.contains("note 9"), "it repeats what the plugin said: {}", rejects[0].message);
        let found = beside.verify(&plan).await.unwrap();
        assert!(found.holds && found.rejected == 1, "{:#?}", found.differences);
        // More than the file allows.
        beside.fake.there().poison = Some(("note".into(), status));
        beside.ground.sql("update note set body = body || '!'").await;
        let failed = said(beside.apply(&plan, 4).await);
        let expected = if status == 500 { "memories in a row" } else { "rows would be set aside" };
        assert!(failed.contains(expected), "{status}: {failed}");
        beside.ground.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_names_memories_itself_is_refused_at_the_first() {
    let beside = Beside::new(LEGACY).await;
    let plan = beside.plan(50).await.unwrap();
    beside.fake.there().names_itself = true;
    let words = said(beside.apply(&plan, 1).await);
    assert!(words.contains("keeps a memory under an id of its own"), "{words}");
    assert_eq!(beside.fake.asked("POST memories"), 1);
    beside.ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_went_away_is_put_again() {
    let beside = Beside::new(LEGACY).await;
    let plan = beside.plan(50).await.unwrap();
    beside.fake.there().poison = Some(("note 9 ".into(), 404));
    let applied = beside.apply(&plan, 2).await.unwrap();
    assert_eq!((applied.inserted, applied.rejected), (29, 1));
    assert_eq!(beside.fake.asked("PUT namespaces"), 3, "and then it is the row that is refused");
    beside.ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_plugin_or_not_well_is_told_at_once() {
    let beside = Beside::new(LEGACY).await;
    let ok = r#"{"status":"ok","version":"1.0.0","capabilities":[]}"#;
    for (status, body, is_away, words) in [
        (
            503,
            r#"{"status":"degraded","version":"1.0.0","capabilities":["fts"]}"#.into(),
            true,
            "is degraded, with HTTP status 503",
        ),
        (200, r#"{"status":"degraded","version":"1.0.0"}"#.to_owned(), true, "is degraded"),
        (500, "oops".into(), true, "is not well, with HTTP status 500"),
        (429, "{}".into(), true, "is not well, with HTTP status 429"),
        (200, "<html>it works</html>".into(), false, "is no memory plugin: HTTP status 200"),
        (404, ok.replace("ok", "no"), true, "is degraded, with HTTP status 404"),
        (404, "not found".into(), false, "is no memory plugin: HTTP status 404"),
        (200, ok.replace("1.0.0", "2.0.0"), false, "is a plugin of another version"),
        (302, String::new(), false, "sends elsewhere (HTTP 302)"),
        (401, ok.into(), false, "asks who is there (HTTP 401)"),
        (200, format!("{ok}{}", " ".repeat(2 << 20)), false, "answers more than a plugin does"),
        (200, "{\"status\":\"ok\"".into(), false, "is no memory plugin"),
        (200, String::new(), false, "is no memory plugin"),
    ] {
        beside.fake.there().health = Some((status, body));
        let error = beside.plan(50).await.unwrap_err();
        assert_eq!(matches!(error, MigrateError::Away { .. }), is_away, "{status}: {error}");
        assert!(error.to_string().contains(words), "{status}: {error}");
        assert!(!error.to_string().contains("the-token"));
    }
    beside.fake.there().health = None;
    let plan = beside.plan(50).await.unwrap();
    // Another one than was planned, and one that can do less since.
    let other = Beside::new("select 1").await;
    let elsewhere = said(apply_into(&beside.ground, &other.fake.target(1), &plan, Options::default()).await);
    assert!(elsewhere.contains("is not the target that was planned"), "{elsewhere}");
    beside.fake.there().health = Some((200, ok.into()));
    assert!(said(beside.apply(&plan, 1).await).contains("is not the target that was planned"));
    // What it cannot do has no place there, and without words a full namespace hides what it holds.
    let less = plan_into(&beside.ground, &beside.fake.target(1), &file(), 50).await.unwrap();
    let lost = less.findings.iter().find(|finding| finding.id == "not-carried").unwrap();
    assert_eq!(
        lost.what,
        "the target has no place for pin of 6 rows, propagation of 10 rows, embedding of 7 rows and expires_at of 1 row"
    );
    beside.apply(&less, 1).await.unwrap();
    let found = verify_against(&beside.ground, &beside.fake.target(1), &less).await.unwrap();
    assert!(found.holds && found.equal == 30 && found.not_shown.contains(&"pin".to_owned()));
    other.ground.close().await;
    beside.ground.close().await;
}

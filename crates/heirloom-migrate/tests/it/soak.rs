//! A soak: thirty days in seconds, what alarms and what does not, and what is read again.

use heirloom_migrate::ledger::RunState;
use heirloom_migrate::soak::{DayKind, DivergenceKind};
use heirloom_store::Scope;
use serde_json::json;

use crate::soak_ground::{DAY, Watched, legacy};

fn scope() -> Scope {
    Scope::new(["custom:agent-0", "custom:agent-1", "custom:agent-2"]).unwrap()
}

/// What people and agents do to memories on one day: a few by the store itself, the many in the form in which the store
/// writes them, a statement a kind, because a call each would make the month last minutes.
async fn a_day_of_changes(watched: &Watched, ids: &[uuid::Uuid], day: usize, changes: usize) {
    let (scope, store) = (scope(), &watched.ground.store);
    let by_hand = (changes / 100).max(3);
    for at in 0..by_hand {
        let id = ids[((day * by_hand + at) * 7_919) % ids.len()];
        // One that was forgotten, or cannot go where it is sent, is no change.
        let _ = match at % 5 {
            0 => store.forget(&scope, &from(json!({ "id": id }))).await.map(drop),
            1 => store.transition(&scope, &from(json!({ "id": id, "to": "validated" }))).await.map(drop),
            _ => store
                .revise(&scope, &from(json!({ "id": id, "content": format!("said again on day {day}, {at}") })))
                .await
                .map(drop),
        };
    }
    let (moved, edited) = (changes * 3 / 10, changes / 5);
    let new = changes.saturating_sub(by_hand + moved + edited);
    let chosen = |salt: &str, most: usize| {
        format!(
            "select m.namespace, m.id, m.state, m.version_n, m.role, m.topic, m.content, m.metadata
             from heirloom.memory m join heirloom.origin o on o.namespace = m.namespace and o.id = m.id
             order by md5(m.id::text || '{salt}{day}') limit {most}"
        )
    };
    let to = ["validated", "superseded", "archived"][day % 3];
    watched
        .ground
        .sql(&format!(
            "begin;
             create temporary table chosen on commit drop as {};
             insert into heirloom.revision (namespace, memory_id, version_n, role, topic, content, metadata)
                 select namespace, id, version_n, role, topic, content, metadata from chosen;
             update heirloom.memory m set content = 'edited on day {day}: ' || m.id, version_n = m.version_n + 1, updated_at = now()
                 from chosen c where (m.namespace, m.id) = (c.namespace, c.id);
             insert into heirloom.activity (action, namespace, memory_id, content_sha256)
                 select 'revise', m.namespace, m.id, sha256(convert_to(m.content, 'UTF8'))
                 from heirloom.memory m join chosen c using (namespace, id);
             commit;
             begin;
             create temporary table chosen on commit drop as {};
             update heirloom.memory m set state = '{to}', state_changed_at = now()
                 from chosen c where (m.namespace, m.id) = (c.namespace, c.id);
             select heirloom.note_transition(namespace, id, state, '{to}', null, null) from chosen;
             commit;
             insert into heirloom.memory (id, namespace, kind, content)
                 select gen_random_uuid(), 'custom:agent-' || g % 3, 'fact', 'new on day {day}: ' || g from generate_series(1, {new}) g",
            chosen("edit", edited),
            chosen("move", moved),
        ))
        .await;
}

fn from<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_days_of_legitimate_changes_alarm_nobody() {
    let mut watched = Watched::verified(&legacy(2_000), 1_000, 30).await;
    watched.start(false).await.unwrap();
    let ids: Vec<uuid::Uuid> = {
        let client = watched.ground.db.database().client().await.unwrap();
        let rows = client.query("select id from heirloom.origin order by id", &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    for day in 0..30 {
        let sweep = watched.sweep(false).await.unwrap();
        assert!(sweep.record.clean, "day {day}: {:#?}", sweep.differences);
        assert_eq!(sweep.calendar.counted, day + 1);
        assert!(!sweep.calendar.over, "day {day}");
        a_day_of_changes(&watched, &ids, day as usize, 1_000).await;
        watched.pass(DAY);
    }
    let last = watched.sweep(true).await.unwrap();
    assert!(last.record.clean && last.record.full && last.calendar.over, "{:#?}", last.calendar);
    assert_eq!((last.state, watched.state().await.as_str()), (RunState::Soaked, "soaked"));
    for kind in ["edited", "forgotten", "transitioned", "superseded"] {
        assert!(last.record.explained.get(kind).is_some_and(|rows| *rows > 0), "{kind}: {:?}", last.record.explained);
    }
    assert!(last.calendar.days.iter().all(|day| day.kind == DayKind::Clean));
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unexplained_change_is_named_and_the_clock_starts_again() {
    let mut watched = Watched::soaking(&legacy(60), 7, 3).await;
    watched.pass(DAY);
    watched.tamper("update heirloom.memory set content = 'nobody said this' where content = 'note 17'").await;
    let found = watched.sweep(false).await.unwrap();
    assert!(!found.record.clean);
    assert_eq!(found.record.divergence_count, 1);
    let one = &found.record.divergences[0];
    assert_eq!(
        (one.kind, one.key.as_slice(), one.column.as_deref()),
        (DivergenceKind::Altered, &["17".to_owned()][..], Some("content"))
    );
    assert_eq!((found.calendar.counted, found.calendar.running_since), (0, None));

    // It stays found until it is mended, and the day of it does not count.
    watched.pass(3_600);
    assert!(!watched.sweep(false).await.unwrap().record.clean);
    watched.tamper("update heirloom.memory set content = 'note 17' where content = 'nobody said this'").await;
    watched.pass(3_600);
    let mended = watched.sweep(false).await.unwrap();
    assert!(mended.record.clean);
    assert_eq!(mended.calendar.counted, 0);
    let since = mended.calendar.running_since.unwrap();
    for counted in 1..=3 {
        watched.pass(DAY);
        let sweep = watched.sweep(false).await.unwrap();
        assert_eq!((sweep.calendar.counted, sweep.calendar.running_since), (counted, Some(since)));
        assert_eq!(sweep.calendar.over, counted == 3);
    }
    let kinds: Vec<DayKind> = watched.sweep(false).await.unwrap().calendar.days.iter().map(|day| day.kind).collect();
    assert_eq!(kinds[..3], [DayKind::Clean, DayKind::Divergent, DayKind::Clean]);
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soaked_run_that_diverges_soaks_again() {
    let mut watched = Box::pin(Watched::soaked(&legacy(20), 7, 1)).await;
    assert_eq!(watched.state().await, "soaked");
    watched.tamper("delete from heirloom.memory where content = 'note 5'").await;
    let found = watched.sweep(false).await.unwrap();
    assert_eq!((found.record.divergences[0].kind, found.state), (DivergenceKind::Missing, RunState::Soaking));
    assert_eq!(watched.state().await, "soaking");
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_a_sweep_does_not_count() {
    let mut watched = Watched::soaking(&legacy(20), 7, 3).await;
    watched.pass(2 * DAY);
    assert_eq!(watched.sweep(false).await.unwrap().calendar.counted, 2);
    watched.pass(DAY);
    // Three times 24 hours have passed, and only three of the four days were swept.
    let third = watched.sweep(false).await.unwrap();
    assert_eq!((third.calendar.counted, third.calendar.over), (3, true));
    let kinds: Vec<DayKind> = third.calendar.days.iter().map(|day| day.kind).collect();
    assert_eq!(kinds, [DayKind::Clean, DayKind::Missing, DayKind::Clean, DayKind::Clean]);
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_to_the_frozen_source_is_a_leak() {
    let mut watched = Watched::soaking(&legacy(40), 7, 3).await;
    for (write, key, undo) in [
        ("insert into note values (99, 'agent-1', 'too late', now())", "99", "delete from note where id = 99"),
        ("update note set body = 'changed' where id = 8", "8", "update note set body = 'note 8' where id = 8"),
        (
            "create table gone as select * from note where id = 30; delete from note where id = 30",
            "30",
            "insert into note select * from gone",
        ),
    ] {
        watched.ground.sql(write).await;
        let found = watched.sweep(false).await.unwrap();
        assert_eq!(found.record.divergence_count, 1, "{write}: {:#?}", found.differences);
        let one = &found.record.divergences[0];
        assert_eq!((one.kind, one.key[0].as_str()), (DivergenceKind::Leak, key), "{write}");
        watched.ground.sql(undo).await;
        let clean = watched.sweep(false).await.unwrap();
        assert!(clean.record.clean, "{undo}: {:#?}", clean.differences);
    }
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_caught_up_with_is_counted_and_no_leak() {
    let mut watched = Watched::soaking(&legacy(40), 7, 3).await;
    watched
        .ground
        .sql("insert into note values (99, 'agent-1', 'in time', now()); update note set body = 'new' where id = 3")
        .await;
    let applied = watched.ground.apply(&watched.plan).await.unwrap();
    assert_eq!((applied.written, applied.state), (2, RunState::Soaking));
    let sweep = watched.sweep(false).await.unwrap();
    assert!(sweep.record.clean, "{:#?}", sweep.differences);
    assert_eq!(sweep.record.explained.get("caught-up"), Some(&2));
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_looks_different_is_read_again() {
    let mut watched = Watched::soaking(&legacy(70), 7, 3).await;
    let chunks = watched.plan.chunks.len() as u64;
    assert_eq!(chunks, 10);
    let quiet = watched.sweep(false).await.unwrap();
    assert_eq!((quiet.record.read, quiet.record.equal, quiet.record.source_rows), (0, 70, 70));
    watched.tamper("update heirloom.memory set importance = 5 where content = 'note 17'").await;
    let found = watched.sweep(false).await.unwrap();
    assert_eq!((found.record.read, found.record.divergence_count), (1, 1));
    assert_eq!(found.record.divergences[0].column.as_deref(), Some("importance"));
    // A chunk that is not clean is read until it is, and a full sweep reads all.
    assert_eq!(watched.sweep(false).await.unwrap().record.read, 1);
    watched.tamper("update heirloom.memory set importance = 3 where content = 'note 17'").await;
    let full = watched.sweep(true).await.unwrap();
    assert_eq!((full.record.read, full.record.full, full.record.clean), (chunks, true, true));
    // A row in another tenant's namespace, a source rewritten in place, an emptied source.
    let twin = watched.ground.one(
        "select string_agg(quote_ident(attname), ', ') from pg_attribute where attrelid = 'heirloom.memory'::regclass
         and attnum > 0 and not attisdropped and attgenerated = '' and attname not in ('namespace', 'lesson_id')",
    ).await;
    watched
        .tamper(&format!(
            "insert into heirloom.memory (namespace, {twin}) select 'custom:agent-9', {twin} from heirloom.memory where content = 'note 40'"
        ))
        .await;
    let found = watched.sweep(false).await.unwrap();
    assert_eq!((found.record.read, found.record.divergences[0].kind), (1, DivergenceKind::Unexpected));
    watched.tamper("delete from heirloom.memory where namespace = 'custom:agent-9'").await;
    watched.ground.sql("update note set body = body").await;
    let rewritten = watched.sweep(false).await.unwrap();
    assert_eq!((rewritten.record.read, rewritten.record.clean), (chunks, true), "written again, and equal");
    watched.ground.sql("delete from note").await;
    let emptied = watched.sweep(false).await.unwrap();
    assert_eq!((emptied.record.source_rows, emptied.record.divergence_count), (0, 70));
    assert!(emptied.record.divergences.iter().all(|one| one.kind == DivergenceKind::Leak));
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_new_are_asked_the_same_and_it_gates_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let queries = dir.path().join("queries.jsonl");
    std::fs::write(
        &queries,
        "{\"query\": \"note 17\"}\n\n{\"query\": \"note 5\", \"namespace\": \"custom:agent-2\", \"old\": [\"5\"]}\n\
         {\"sql\": \"select id from note where body = $1\"}\n{\"query\": \"note 8\"}\n{\"query\": \"nothing says this\"}\n",
    )
    .unwrap();
    let mut watched = Watched::with_shadow(&legacy(20), &queries).await;
    watched.start(false).await.unwrap();
    let sweep = watched.sweep(false).await.unwrap();
    let shadow = sweep.record.shadow.unwrap();
    assert_eq!((shadow.queries, shadow.answered, &shadow.failed), (4, 3, &None));
    assert!((shadow.overlap - 1.0).abs() < 1e-9, "{shadow:?}");
    assert!(shadow.rank_shift < 1.0, "{shadow:?}");
    // A file that cannot be read is told, and the sweep is clean all the same.
    std::fs::write(&queries, "{\"query\": \"note 17\"}\n{\"nothing\": 1}\n").unwrap();
    let sweep = watched.sweep(false).await.unwrap();
    assert!(sweep.record.clean);
    let failed = sweep.record.shadow.unwrap().failed.unwrap();
    assert!(failed.contains("queries.jsonl:2:1: this is no query"), "{failed}");

    // Of a file that tenants share, those of another's namespace are asked of neither side; one that holds nothing is nobody's.
    watched.tamper("insert into heirloom.memory (namespace, content, kind, source) values ('custom:other', 'x', 'fact', 'agent')").await;
    let shared = dir.path().join("shared.jsonl");
    let line = |namespaces: &str, words: &str| {
        format!("{{\"at\": \"2026-01-01T00:00:00Z\", \"namespaces\": [{namespaces}], \"query\": \"{words}\"}}\n")
    };
    let others = line("\"custom:agent-2\", \"custom:other\"", "note 5").repeat(3);
    let old = line("", "nothing says this").repeat(1_000);
    std::fs::write(&shared, old + &others + &line("\"custom:agent-2\", \"custom:nobody\"", "note 5")).unwrap();
    let task = heirloom_migrate::soak::Task { shadow: Some(&shared), ..watched.task(true) };
    let shadow = heirloom_migrate::soak::sweep(&task, false, &mut |_, _| {}).await.unwrap().record.shadow.unwrap();
    // The newest thousand are asked.
    assert_eq!((shadow.queries, shadow.elsewhere, shadow.answered, &shadow.failed), (1_000, 3, 1, &None));
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_consolidated_is_explained_and_what_only_looks_so_is_not() {
    let mut watched = Watched::soaking(&legacy(20), 7, 2).await;
    let gone = "update heirloom.memory set state = 'superseded', is_active = false, state_changed_at = now() where content = 'note 4';
        select heirloom.note_transition(namespace, id, 'candidate', 'superseded', null, 'consolidated')
        from heirloom.memory where content = 'note 4'";
    watched.ground.sql(&format!("begin; {gone}; commit")).await;
    let found = watched.sweep(false).await.unwrap();
    assert!(
        found.record.divergences.iter().any(|one| one.column.as_deref() == Some("is_active")),
        "{:?}",
        found.record
    );
    // As the SQL door leaves it: with the link to the memory it went into.
    watched
        .ground
        .sql(
            "insert into heirloom.edge (namespace, source_id, target_id, relation, metadata)
             select m.namespace, m.id, b.id, 'SUPERSEDED_BY', '{\"consolidation\": true}'
             from heirloom.memory m join heirloom.memory b on b.namespace = m.namespace and b.content = 'note 1'
             where m.content = 'note 4'",
        )
        .await;
    let clean = watched.sweep(false).await.unwrap();
    assert!(clean.record.clean, "{:#?}", clean.differences);
    assert_eq!(clean.record.explained.get("consolidated"), Some(&1));
    watched.close().await;
}

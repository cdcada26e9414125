//! The gate cannot be talked round: each way of trying is refused or found.

use heirloom_migrate::audit::{self, anchor};
use heirloom_migrate::failpoint::Failpoints;
use heirloom_migrate::ledger;
use heirloom_migrate::soak;

use crate::soak_ground::{DAY, Watched, legacy};
use crate::support::said;

#[tokio::test(flavor = "multi_thread")]
async fn an_unverified_tenant_does_not_soak() {
    let ground = crate::support::Ground::new(&legacy(20)).await;
    let file = "name = \"notes\"\n[source]\nurl = \"store\"\ntable = \"note\"\n[namespace]\ntemplate = \"custom:all\"\n[map]\ncontent = \"body\"\n\
        kind = { value = \"fact\" }\n[keep]\nrest = \"origin\"\n";
    let plan = ground.plan(file, 7).await.unwrap();
    let mut watched = Watched::of(ground, plan);
    let text = said(watched.start(false).await);
    assert!(text.contains("was not applied here yet"), "{text}");
    watched.ground.apply(&watched.plan).await.unwrap();
    let text = said(watched.start(false).await);
    assert!(
        text.contains("notes is applied, so it cannot be soaked") && text.contains("verify PLAN --record"),
        "{text}"
    );
    let text = said(watched.sweep(false).await);
    assert!(text.contains("notes is applied, so it cannot be swept"), "{text}");
    // Nor is the database talked into it.
    for (sql, says) in [
        ("update heirloom_migrate.run set state = 'soaking'", "23514"),
        ("update heirloom_migrate.run set state = 'retired'", "23514"),
        ("update heirloom_migrate.run set state = 'verified'", "23514"),
    ] {
        let client = watched.ground.db.database().client().await.unwrap();
        let refused = client.batch_execute(sql).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), says, "{sql}");
    }
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_a_step_without_its_proof() {
    let watched = Watched::soaking(&legacy(20), 7, 30).await;
    let client = watched.ground.db.database().client().await.unwrap();
    let entry = |what: &str, payload: &str| {
        format!(
            "insert into heirloom_migrate.audit (run_id, at, clock, program, what, payload)
             select run_id, now(), 'database', '0.1.0', '{what}', '{payload}' from heirloom_migrate.run;
             update heirloom_migrate.run set state = '{what}'"
        )
    };
    for sql in [
        entry("soaked", "{}"),
        entry("soaked", "{\"proof\": \"00\"}"),
        entry("retired", "{}"),
        "update heirloom_migrate.run set state = 'soaked'".to_owned(),
        "update heirloom_migrate.audit set what = 'sweep'".to_owned(),
        "delete from heirloom_migrate.audit".to_owned(),
        "truncate heirloom_migrate.audit".to_owned(),
    ] {
        let refused = client.batch_execute(&format!("begin; {sql}; commit")).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "23514", "{sql}");
        client.batch_execute("rollback").await.unwrap();
    }
    drop(client);
    assert_eq!(watched.state().await, "soaking");
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_short_by_a_second_stays_shut() {
    let mut watched = Watched::soaking(&legacy(20), 7, 2).await;
    watched.pass(DAY);
    assert_eq!(watched.sweep(false).await.unwrap().calendar.counted, 2);
    watched.pass(DAY - 1);
    let short = watched.sweep(false).await.unwrap();
    assert!(!short.calendar.over && short.calendar.counted == 3, "{:?}", short.calendar);
    assert_eq!(watched.state().await, "soaking");
    assert_eq!(watched.short().await, ["soaked", "last-sweep", "archive"]);
    watched.pass(1);
    assert!(watched.sweep(false).await.unwrap().calendar.over);
    assert_eq!(watched.short().await, [""; 0]);
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_moved_back_or_is_made_for_tests_opens_nothing() {
    let mut watched = Watched::soaking(&legacy(20), 7, 2).await;
    watched.pass(-1);
    let text = said(watched.sweep(false).await);
    assert!(text.starts_with("The clock was moved back"), "{text}");
    watched.pass(1);
    watched.clock = heirloom_migrate::clock::Clock::system(|| "9999-01-01T00:00:00Z".parse().unwrap());
    let text = said(watched.sweep(false).await);
    assert!(text.contains("under the clock of a test"), "{text}");
    // The database says so too, and that a machine's clock is not its own.
    let client = watched.ground.db.database().client().await.unwrap();
    for (clock, at) in
        [("simulated", "now()"), ("system", "now() + interval '3 days'"), ("system", "now() + interval '1 year'")]
    {
        let sql = format!(
            "insert into heirloom_migrate.audit (run_id, at, clock, program, what, payload)
             select run_id, {at}, '{clock}', '0.1.0', 'sweep', '{{}}' from heirloom_migrate.run"
        );
        assert_eq!(client.batch_execute(&sql).await.unwrap_err().code().unwrap().code(), "23514", "{sql}");
    }
    drop(client);
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_clock_runs_ahead_of_the_database_does_not_begin() {
    let mut watched = Watched::verified(&legacy(20), 7, 2).await;
    watched.clock = heirloom_migrate::clock::Clock::system(|| "9999-01-01T00:00:00Z".parse().unwrap());
    assert!(watched.start(false).await.is_err());
    assert_eq!(watched.state().await, "verified");
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_log_a_cut_log_and_a_restored_ledger_are_found() {
    let mut watched = Watched::soaking(&legacy(20), 7, 2).await;
    // A backup of the whole ledger, taken before the divergence that somebody would like to undo.
    watched.ground.sql("create schema backup; create table backup.audit as select * from heirloom_migrate.audit").await;
    watched.tamper("update heirloom.memory set importance = 5 where content = 'note 17'").await;
    assert!(!watched.sweep(false).await.unwrap().record.clean);
    watched.tamper("update heirloom.memory set importance = 3 where content = 'note 17'").await;
    watched.pass(DAY);
    assert!(watched.sweep(false).await.unwrap().record.clean);

    watched.tamper("create table backup.now as select * from heirloom_migrate.audit").await;
    let back = "delete from heirloom_migrate.audit; insert into heirloom_migrate.audit select * from backup.now";
    for (damage, says) in [
        (
            "update heirloom_migrate.audit set payload = replace(payload, 'false', 'true') where what = 'sweep'",
            "its payload was changed",
        ),
        (
            "update heirloom_migrate.audit set payload = replace(payload, 'false', 'true'),
             payload_digest = sha256(convert_to(replace(payload, 'false', 'true'), 'UTF8')) where what = 'sweep'",
            "its hash is not that of its fields",
        ),
        (
            "update heirloom_migrate.audit set at = at - interval '30 days' where seq = 5",
            "its hash is not that of its fields",
        ),
        ("update heirloom_migrate.audit set role = 'somebody' where seq = 2", "its hash is not that of its fields"),
        ("delete from heirloom_migrate.audit where seq = 6", "entry 6 is missing before it"),
        ("delete from heirloom_migrate.audit where seq >= 7", "it was cut, or restored from an older backup"),
        (
            "delete from heirloom_migrate.audit; insert into heirloom_migrate.audit select * from backup.audit",
            "restored from an older backup",
        ),
        (
            "update heirloom_migrate.audit a set payload = '{}', payload_digest = sha256('{}'::bytea)
             where seq = (select max(seq) from heirloom_migrate.audit);
             update heirloom_migrate.audit a set hash = heirloom_migrate.audit_hash(a)
             where seq = (select max(seq) from heirloom_migrate.audit)",
            "has another hash than the one that was written",
        ),
        ("alter table heirloom_migrate.audit disable trigger audit_stays", "does not fire"),
        ("update heirloom_migrate.run set state = 'soaked'", "the run is soaked, and the chain says soaking"),
    ] {
        watched.tamper(damage).await;
        let text = said(watched.sweep(false).await);
        assert!(text.contains(says), "{damage}: {text}");
        assert!(watched.would_retire().await.is_err(), "{damage}");
        let report = {
            let client = watched.ground.db.database().client().await.unwrap();
            let entries = ledger::entries(&client, watched.plan.run_id).await.unwrap();
            let run = ledger::find_run(&client, watched.plan.run_id).await.unwrap().unwrap();
            let guards = ledger::guards(&client, run.run_id).await.unwrap();
            audit::check(&run, &entries, &guards, watched.anchor.as_slice())
        };
        assert!(
            !report.holds && report.problems.iter().any(|problem| problem.what.contains(says)),
            "{damage}: {report:#?}"
        );
        watched
            .tamper(&format!(
                "alter table heirloom_migrate.audit enable trigger audit_stays; update heirloom_migrate.run set state = 'soaking'; {back}"
            ))
            .await;
        watched.sweep(false).await.unwrap();
        watched.tamper("drop table backup.now; create table backup.now as select * from heirloom_migrate.audit").await;
    }
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_plan_and_an_edited_ledger_do_not_shorten_a_soak() {
    let mut watched = Watched::soaking(&legacy(20), 7, 30).await;
    watched.pass(DAY);
    watched.sweep(false).await.unwrap();
    // The plan's file with another number of days, sealed again.
    let whole = watched.plan.clone();
    let mut edited = whole.clone();
    edited.file.text = whole.file.text.replace("days = 30", "days = 1");
    edited.file.digest = blake3::hash(edited.file.text.as_bytes()).to_hex().to_string();
    edited.seal();
    watched.plan = edited.clone();
    let both = |text: &str| text.contains(&whole.digest[..16]) && text.contains(&edited.digest[..16]);
    let text = said(watched.sweep(false).await);
    assert!(both(&text), "{text}");
    // And the ledger's own row with its digest: what counts is what the chain was begun with.
    watched.ground.sql(&format!("update heirloom_migrate.run set plan_digest = '{}'", edited.digest)).await;
    let text = said(watched.sweep(false).await);
    assert!(both(&text), "{text}");
    assert!(watched.would_retire().await.is_err());
    assert!(watched.start(true).await.is_err(), "nor by beginning again");
    watched.plan = whole.clone();
    let text = said(watched.sweep(false).await);
    assert!(both(&text) && text.contains("was applied from the plan"), "{text}");
    // The plan that the ledger keeps, which a sweep inside `serve` goes by.
    let days = |from: &str, to: &str| {
        format!(
            "update heirloom_migrate.run set plan_digest = '{}', plan = replace(plan::text, 'days = {from}', 'days = {to}')::json",
            whole.digest
        )
    };
    watched.ground.sql(&days("30", "1")).await;
    let text = said(watched.sweep(false).await);
    assert!(text.contains("the plan in the ledger is"), "{text}");
    watched.plan = {
        let client = watched.ground.db.database().client().await.unwrap();
        ledger::stored_plan(&client, whole.run_id).await.unwrap()
    };
    let text = said(watched.sweep(false).await);
    assert!(text.contains("its soak began for 30 days") && text.contains("says 1 by now"), "{text}");
    watched.ground.sql(&days("1", "30")).await;
    watched.plan = whole;
    assert_eq!(watched.sweep(false).await.unwrap().calendar.needed, 30);
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_head_is_not_made_anew_by_the_next_step() {
    let mut watched = Watched::verified(&legacy(20), 7, 1).await;
    watched.lost = Some("notes.plan.audit".into());
    // Nothing was kept yet, so that nothing is lost.
    watched.start(false).await.unwrap();
    // Nor when the start ended before it could keep it, whatever an apply did since.
    watched.anchor = None;
    let text = said(soak::anchor(&watched.task(false)).await);
    assert!(text.contains("No head of notes was ever kept"), "{text}");
    watched.ground.sql("insert into note values (21, 'agent-0', 'note 21', '2026-01-02')").await;
    watched.ground.apply(&watched.plan).await.unwrap();
    assert_eq!(
        watched.ground.one("select what from heirloom_migrate.audit order by seq desc limit 1").await,
        "caught-up"
    );
    let entries = "select count(*) from heirloom_migrate.audit";
    let before = watched.ground.one(entries).await;
    let again = watched.start(false).await.unwrap();
    assert_eq!((again.restarted, watched.ground.one(entries).await), (false, before), "it is taken up");
    assert_eq!(
        again.head.unwrap().seq.to_string(),
        watched.ground.one("select max(seq) from heirloom_migrate.audit").await
    );
    let text = said(watched.start(false).await);
    assert!(text.contains("soaks already"), "{text}");
    watched.anchor = None;
    watched.sweep(false).await.unwrap();
    let kept = watched.anchor.take();
    watched.pass(DAY);
    let before = watched.ground.one(entries).await;
    for text in [
        said(watched.sweep(false).await),
        said(watched.would_retire().await),
        said(watched.unretire().await),
        said(watched.start(false).await),
    ] {
        assert!(text.contains("notes.plan.audit is not there") && text.contains("audit anchor PLAN"), "{text}");
    }
    assert_eq!(watched.ground.one(entries).await, before, "nothing was written");
    let would = soak::anchor(&watched.task(true)).await.unwrap();
    assert_eq!((would.head.as_ref(), would.found.as_ref()), (kept.as_ref(), kept.as_ref()));
    assert_eq!(watched.ground.one(entries).await, before, "looking writes nothing");
    let done = soak::anchor(&watched.task(false)).await.unwrap();
    watched.anchor = done.head;
    assert_eq!(
        watched.ground.one("select what from heirloom_migrate.audit order by seq desc limit 1").await,
        "anchored"
    );
    let text = said(soak::anchor(&watched.task(false)).await);
    assert!(text.contains("is kept already"), "{text}");
    assert_eq!(watched.sweep(false).await.unwrap().calendar.counted, 2, "what was counted still counts");
    let would = watched.would_retire().await.unwrap();
    let gate = would.gates.iter().find(|gate| gate.id == "head-outside").unwrap();
    assert!(gate.met && gate.found.contains("it was lost, and kept again by"), "{gate:?}");
    // A chain that does not hold is not taken as it is.
    watched.anchor = None;
    watched.tamper("delete from heirloom_migrate.audit where seq = 4").await;
    assert!(soak::anchor(&watched.task(false)).await.is_err());
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_ledger_can_only_begin_again() {
    let mut watched = Watched::soaking(&legacy(20), 7, 2).await;
    watched.tamper("create table kept as select * from heirloom_migrate.audit").await;
    watched.pass(DAY);
    watched.sweep(false).await.unwrap();
    watched.tamper("delete from heirloom_migrate.audit; insert into heirloom_migrate.audit select * from kept").await;
    assert!(watched.sweep(false).await.is_err());
    assert!(watched.start(true).await.unwrap().restarted);
    let first = watched.sweep(false).await.unwrap();
    assert_eq!(first.calendar.counted, 1);
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_program_and_a_second_operator_are_refused() {
    let mut watched = Watched::soaking(&legacy(20), 7, 2).await;
    watched.program = "9.1.0";
    watched.sweep(false).await.unwrap();
    watched.program = "9.0.9";
    let text = said(watched.sweep(false).await);
    assert!(text.contains("Version 9.1.0 wrote the newest entry of the chain, and this is 9.0.9"), "{text}");
    watched.program = "9.1.0";
    let before = watched.ground.one("select count(*) from heirloom_migrate.audit").await;
    let (task, mut one, mut other) = (watched.task(false), |_, _| {}, |_, _| {});
    let (one, other) = tokio::join!(soak::sweep(&task, true, &mut one), soak::sweep(&task, true, &mut other));
    // Either they met, and one of them wrote nothing, or they came one after the other.
    let wrote = [&one, &other].iter().filter(|sweep| sweep.is_ok()).count();
    for sweep in [one, other] {
        if let Err(error) = sweep {
            assert!(error.to_string().contains("Somebody else took a step"), "{error}");
        }
    }
    let after = watched.ground.one("select count(*) from heirloom_migrate.audit").await;
    assert_eq!(after.parse::<usize>().unwrap() - before.parse::<usize>().unwrap(), wrote);
    assert!(wrote >= 1);
    watched.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_writes_nothing() {
    let watched = Watched::verified(&legacy(20), 7, 2).await;
    let entries = "select count(*) from heirloom_migrate.audit";
    let before = (watched.ground.versions().await, watched.ground.one(entries).await);
    soak::start(&watched.task(true), false).await.unwrap();
    assert_eq!((watched.ground.versions().await, watched.ground.one(entries).await), before);
    let mut watched = watched;
    watched.start(false).await.unwrap();
    let before = (watched.ground.versions().await, watched.ground.one(entries).await);
    let seen = soak::sweep(&watched.task(true), false, &mut |_, _| {}).await.unwrap();
    assert!(seen.record.clean);
    assert_eq!((watched.ground.versions().await, watched.ground.one(entries).await), before);
    assert_eq!(watched.ground.one("select count(*) from heirloom_migrate.leaf").await, "0");
    watched.close().await;
}

#[tokio::test]
async fn the_head_outside_is_written_whole_and_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = anchor::path_for(&dir.path().join("notes.plan.json"));
    assert!(path.ends_with("notes.plan.audit"));
    let (run, another) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    assert_eq!(anchor::read(&path, run).unwrap(), None);
    let head = audit::Head { run_id: run, seq: 7, hash: "ab".into() };
    anchor::write(&path, &head, &Failpoints::default()).await.unwrap();
    assert_eq!(anchor::read(&path, run).unwrap(), Some(head));
    // A plan that was made again lies in the same place, and its run has a chain of its own.
    assert_eq!(anchor::read(&path, another).unwrap(), None);
    std::fs::write(&path, "{").unwrap();
    assert!(anchor::read(&path, run).is_err());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

//! Following by an outbox: what triggers at the source note, whatever time tells of it, and what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use heirloom_engine::{Database, Location, Options as Opening};
use heirloom_migrate::apply::{self, Applied, Follow, Followed, Options, Stop};
use heirloom_migrate::failpoint::{Action, Failpoints, Point};
use heirloom_migrate::file::Budget;
use heirloom_migrate::plan::Plan;
use heirloom_migrate::source;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::soak_ground::{DAY, Watched, file, legacy};
use crate::support::{Ground, said};

const TABLE: &str = "create table note (id bigint primary key, body text not null);
    insert into note select n, 'note ' || n from generate_series(1, 40) n";

const FILE: &str = "name = \"notes\"\n[source]\nurl = \"store\"\ntable = \"note\"\nkey = [\"id\"]\noutbox = true\n\
    [namespace]\ntemplate = \"custom:all\"\n[map]\ncontent = \"body\"\nkind = { value = \"fact\" }\n\
    state = { value = \"canonical\" }\n";

/// Everything of ours that stands at a source.
const LEFT: &str = "(select count(*) from pg_class where relname like 'heirloom\\_outbox%')
    + (select count(*) from pg_proc where proname like 'heirloom\\_outbox%')
    + (select count(*) from pg_trigger where tgname like 'heirloom\\_outbox%')";

fn contents(of: &str) -> String {
    format!("select string_agg(content, ', ' order by content) from heirloom.memory where content like '{of}'")
}

/// Follows with no whole look but those that are needed.
pub(crate) fn following(deletes: Option<Budget>) -> (Options, UnboundedReceiver<Followed>) {
    let (told, passes) = unbounded_channel();
    let follow = Follow {
        every: Duration::from_millis(10),
        look_every: Duration::from_secs(3_600),
        overlap: Duration::ZERO,
        told: Arc::new(move |now: &Followed| {
            let _ = told.send(*now);
        }),
    };
    (Options { deletes, follow: Some(follow), ..Options::default() }, passes)
}

/// Until a pass has ended that began after this was asked.
pub(crate) async fn settled(passes: &mut UnboundedReceiver<Followed>) {
    while passes.try_recv().is_ok() {}
    for _ in 0..2 {
        passes.recv().await.unwrap();
    }
}

/// Follows while `story` is told, and stops.
async fn follow(
    ground: &Ground,
    plan: &Plan,
    deletes: Option<Budget>,
    story: impl AsyncFnOnce(&mut UnboundedReceiver<Followed>),
) -> heirloom_migrate::Result<Applied> {
    let (options, mut passes) = following(deletes);
    let stop = Stop::default();
    let running = ground.apply_until(&stop, ground.source.as_ref(), plan, options);
    let telling = async {
        passes.recv().await?;
        story(&mut passes).await;
        Some(())
    };
    tokio::pin!(running);
    tokio::select! {
        done = &mut running => return done,
        _ = telling => stop.ask(),
    }
    running.await
}

async fn noted(ground: &Ground) -> String {
    let name =
        ground.one("select relname from pg_class where relname like 'heirloom\\_outbox%' and relkind = 'r'").await;
    ground.one(&format!("select count(*) from {name}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_noted_follows_and_what_is_deleted_is_forgotten() {
    let ground = Ground::new(TABLE).await;
    let plan = ground.plan(FILE, 10).await.unwrap();
    assert_eq!(ground.one(LEFT).await, "0", "a plan writes nothing");
    let steps = [
        "update note set body = 'changed ' || id where id in (3, 17, 18)",
        "insert into note values (100, 'new at the end'), (0, 'new at the beginning')",
        "insert into note values (5, '') on conflict (id) do update set body = 'changed 5'; update note set body = body where id = 9",
        "begin; update note set body = 'never said' where id = 1; rollback",
        "delete from note where id in (6, 39)",
        "update note set id = 200 where id = 8",
        "begin; delete from note where id = 10; insert into note values (10, 'changed 10'); commit",
        "update note set body = 'nobody' where id = 1000",
    ];
    let done = follow(&ground, &plan, Some(Budget::Percent(10.0)), async |passes| {
        for step in steps {
            ground.sql(step).await;
            settled(passes).await;
        }
    })
    .await
    .unwrap();
    let followed = done.followed.unwrap();
    assert_eq!((followed.inserted, followed.updated, followed.looks), (3, 5, 0), "{followed:?}");
    assert_eq!(followed.gone.forgotten, 3, "two that were deleted, and a key that is another now");
    assert_eq!(ground.one(&contents("changed%")).await, "changed 10, changed 17, changed 18, changed 3, changed 5");
    assert_eq!(ground.one(&contents("new%")).await, "new at the beginning, new at the end");
    assert_eq!(ground.one(&contents("note 8")).await, "note 8");
    assert_eq!(ground.one(&contents("never%")).await, "NULL");
    assert_eq!(noted(&ground).await, "0");
    assert!(ground.verify(&plan).await.unwrap().holds);
    assert_eq!(ground.apply(&plan).await.unwrap().written, 0);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_stay_where_nobody_asked_and_too_many_are_refused() {
    let ground = Ground::new(TABLE).await;
    let plan = ground.plan(FILE, 10).await.unwrap();
    let done = follow(&ground, &plan, None, async |passes| {
        ground.sql("delete from note where id = 7").await;
        settled(passes).await;
    })
    .await
    .unwrap();
    assert_eq!(done.followed.unwrap().gone.forgotten, 0);
    assert_eq!((ground.one(&contents("note 7")).await.as_str(), noted(&ground).await.as_str()), ("note 7", "0"));
    let refused = said(
        follow(&ground, &plan, Some(Budget::Rows(4)), async |passes| {
            ground.sql("delete from note where id > 30").await;
            settled(passes).await;
        })
        .await,
    );
    assert!(refused.contains("nothing was forgotten"), "{refused}");
    // It is not lost: what was refused stands there still.
    assert_eq!(noted(&ground).await, "10");
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, "39");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_emptied_is_compared_whole() {
    let ground = Ground::new(TABLE).await;
    let plan = ground.plan(FILE, 10).await.unwrap();
    let done = follow(&ground, &plan, None, async |passes| {
        ground.sql("truncate note; insert into note values (1, 'after'), (50, 'after too')").await;
        settled(passes).await;
        settled(passes).await;
    })
    .await
    .unwrap();
    let followed = done.followed.unwrap();
    assert_eq!(
        (followed.looks, followed.inserted, followed.updated, followed.gone.rows),
        (1, 1, 1, 39),
        "{followed:?}"
    );
    assert_eq!(
        (ground.one(&contents("after%")).await.as_str(), noted(&ground).await.as_str()),
        ("after, after too", "0")
    );
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_somebody_drops_is_made_again_and_nothing_is_lost() {
    let ground = Ground::new(TABLE).await;
    let plan = ground.plan(FILE, 10).await.unwrap();
    let drop = |what: &str, of: &str, name: &str| {
        format!(
            "do $$ declare name text; begin select {name} into strict name from {of} like 'heirloom\\_outbox%' limit 1; execute format('{what}', name); end $$"
        )
    };
    let steps = [
        drop("drop table %I", "pg_class where relkind = 'r' and relname", "relname"),
        drop("drop trigger %I on note", "pg_trigger where tgname", "tgname"),
        "alter table note disable trigger user".to_owned(),
        drop("alter table %I rename column key to other", "pg_class where relkind = 'r' and relname", "relname"),
    ];
    let mut looks = 0;
    for (at, step) in steps.iter().enumerate().take(3) {
        let done = follow(&ground, &plan, None, async |passes| {
            // In one message, so that no pass comes between: the team's statement does not fail for it.
            ground.sql(&format!("{step}; update note set body = 'unseen {at}' where id = {at} + 20")).await;
            settled(passes).await;
            ground.sql(&format!("update note set body = 'seen {at}' where id = {at} + 30")).await;
            settled(passes).await;
        })
        .await
        .unwrap();
        looks += done.followed.unwrap().looks;
        assert_eq!(noted(&ground).await, "0", "{step}");
    }
    assert_eq!(looks, 3);
    assert_eq!(ground.one(&contents("unseen%")).await, "unseen 0, unseen 1, unseen 2");
    assert_eq!(ground.one(&contents("seen%")).await, "seen 0, seen 1, seen 2");
    // A table that is another is not ours to mend, and fails nobody's statement on a server.
    if ground.db.url().is_none() {
        return ground.close().await;
    }
    ground.sql(&steps[3]).await;
    ground.sql("update note set body = 'still written' where id = 2").await;
    assert_eq!(ground.one("select body from note where id = 2").await, "still written");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_commits_late_is_not_passed_over() {
    let ground = Ground::new(TABLE).await;
    // The embedded engine has one session, in which nothing commits late.
    let Some(url) = ground.db.url().map(str::to_owned) else { return ground.close().await };
    let plan = ground.plan(FILE, 10).await.unwrap();
    let other = Database::open(&Location::Server(url), &Opening::default()).await.unwrap();
    let mut client = other.client().await.unwrap();
    let done = follow(&ground, &plan, None, async |passes| {
        let late = client.transaction().await.unwrap();
        late.batch_execute("insert into note values (100, 'late')").await.unwrap();
        ground.sql("insert into note values (101, 'early')").await;
        settled(passes).await;
        assert_eq!(ground.one(&contents("%a%l%")).await, "early");
        late.commit().await.unwrap();
        settled(passes).await;
    })
    .await
    .unwrap();
    assert_eq!(done.followed.unwrap().inserted, 2);
    assert_eq!(ground.one(&contents("%a%l%")).await, "early");
    assert_eq!((ground.one(&contents("late")).await.as_str(), noted(&ground).await.as_str()), ("late", "0"));
    drop(client);
    other.close().await.unwrap();
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_killed_before_it_removed_what_it_did_does_it_again_and_writes_nothing() {
    let ground = Ground::new(TABLE).await;
    let plan = ground.plan(FILE, 10).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let (mut options, mut passes) = following(None);
    options.failpoints = Failpoints::at(Point::AfterCommit, 1, Action::Error);
    let stop = Stop::default();
    let running = ground.apply_until(&stop, ground.source.as_ref(), &plan, options);
    let telling = async {
        passes.recv().await.unwrap();
        ground.sql("update note set body = 'changed' where id = 3").await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        failed = running => drop(said(failed)),
        () = telling => {}
    }
    assert_eq!((ground.one(&contents("changed")).await.as_str(), noted(&ground).await.as_str()), ("changed", "1"));
    let written = "select md5(string_agg(id::text || xmin::text || ctid::text, ',' order by id)) from heirloom.memory";
    let versions = ground.one(written).await;
    let done = follow(&ground, &plan, None, async |passes| settled(passes).await).await.unwrap();
    assert_eq!((done.followed.unwrap().updated, noted(&ground).await.as_str()), (0, "0"));
    assert_eq!(ground.one(written).await, versions);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_followers_at_once_lose_nothing_and_write_nothing_twice() {
    let ground = Ground::new(TABLE).await;
    // Of an embedded store there is one owner.
    if ground.db.url().is_none() {
        return ground.close().await;
    }
    let plan = ground.plan(FILE, 10).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let writing = async |passes: &mut UnboundedReceiver<Followed>| {
        for at in 0..10 {
            ground.sql(&format!("update note set body = 'a{at} ' || id where id % 4 = {at} % 4")).await;
            settled(passes).await;
        }
        settled(passes).await;
    };
    let (one, other) = tokio::join!(
        follow(&ground, &plan, None, writing),
        follow(&ground, &plan, None, async |passes| {
            for _ in 0..30 {
                settled(passes).await;
            }
        })
    );
    let updated = one.unwrap().followed.unwrap().updated + other.unwrap().followed.unwrap().updated;
    // Who came in the middle may have taken several changes of one row as one.
    assert!((40..=100).contains(&updated), "{updated}");
    // What one of them left to the other at the end.
    follow(&ground, &plan, None, async |passes| settled(passes).await).await.unwrap();
    assert_eq!(noted(&ground).await, "0");
    assert_eq!(ground.one("select count(*) from heirloom.memory where content ~ '^a[6789] '").await, "40");
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_several_columns_is_noted_as_it_is_read_whatever_the_writer_set() {
    let ground = Ground::new(
        "create table note (at timestamptz, \"Na'me\" text, n numeric(10, 2), body text not null, primary key (at, \"Na'me\", n));
         insert into note select timestamptz '2026-01-01 12:00+00' + g * interval '1 day 0.000001 s', chr(64 + g % 3) || '\"$heirloom$', g + 0.5, 'note ' || g
         from generate_series(1, 20) g",
    )
    .await;
    let toml = FILE.replace("key = [\"id\"]\n", "key = [\"at\", \"Na'me\", \"n\"]\n");
    let plan = ground.plan(&toml, 3).await.unwrap();
    let step = "begin; set local timezone = 'Asia/Tokyo'; set local datestyle = 'German'; set local search_path = pg_catalog;
        update public.note set body = 'changed ' || body where n in (1.5, 2.5, 11.5, 20.5);
        insert into public.note values ('2026-01-02 21:00:00.5+09', 'x', 7, 'new'), ('2020-02-01 00:00+09', '', 0, 'new'), ('infinity', 'z', 'NaN', 'new');
        delete from public.note where n = 5.5; commit";
    let done = follow(&ground, &plan, Some(Budget::Rows(1)), async |passes| {
        ground.sql(step).await;
        settled(passes).await;
    })
    .await
    .unwrap();
    let followed = done.followed.unwrap();
    assert_eq!((followed.inserted, followed.updated, followed.gone.forgotten, followed.looks), (3, 4, 1, 0));
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_when_it_is_planned() {
    let ground = Ground::new(TABLE).await;
    let query = FILE.replace("table = \"note\"", "query = \"select * from note\"");
    let refused = ground.plan(&query, 10).await.unwrap().refusals.concat();
    assert!(refused.contains("outbox = true needs a table in PostgreSQL"), "{refused}");
    let view = FILE.replace("table = \"note\"", "table = \"shown\"");
    ground.sql("create view shown as select * from note").await;
    let refused = ground.plan(&view, 10).await.unwrap().refusals.concat();
    assert!(refused.contains("it is no table that takes such triggers"), "{refused}");

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("create table note (id integer primary key, body text); insert into note values (1, 'one')")
        .unwrap();
    let url = format!("sqlite:{}", path.display());
    let source = source::open(&url, ground.db.database()).await.unwrap();
    let toml = FILE.replace("url = \"store\"", &format!("url = \"{url}\""));
    let plan = ground.plan_from(source.as_ref(), &toml, 10).await.unwrap();
    assert!(plan.refusals.concat().contains("outbox = true needs a table"), "{:?}", plan.refusals);
    assert!(said(ground.apply_from(source.as_ref(), &plan).await).contains("outbox = true needs a table"));

    if ground.db.url().is_some() {
        let reader = ground.db.login("pg_read_all_data").await;
        let source = source::open_alone(&reader).await.unwrap();
        let toml = FILE.replace("url = \"store\"", "url = \"env:READER\"");
        let refused = ground.plan_from(source.as_ref(), &toml, 10).await.unwrap().refusals.concat();
        assert!(
            refused.contains("triggers are made and removed by the table's owner, and this role is not"),
            "{refused}"
        );
        assert!(refused.contains("remove `outbox` from [source]"), "{refused}");
    }
    assert_eq!(ground.one(LEFT).await, "0");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_removed_when_it_is_told_to_and_nothing_stays() {
    let ground = Ground::new(TABLE).await;
    let plan = ground.plan(FILE, 10).await.unwrap();
    let (source, id) = (ground.source.as_ref(), ground.store.meta().store_id);
    let seen = apply::outbox_seen(&plan, source, id).await.unwrap().unwrap();
    assert!(!seen.is_there && seen.outbox.contains("heirloom_outbox_"), "{seen:?}");
    assert_eq!(apply::remove_outbox(&plan, source, id, &Failpoints::default()).await.unwrap(), None);
    follow(&ground, &plan, None, async |passes| settled(passes).await).await.unwrap();
    // It stays when following ends: what is written until it begins again is noted.
    assert_ne!(ground.one(LEFT).await, "0");
    assert!(apply::outbox_seen(&plan, source, id).await.unwrap().unwrap().is_there);
    assert_eq!(
        apply::remove_outbox(&plan, source, id, &Failpoints::default()).await.unwrap().as_ref(),
        Some(&seen.outbox)
    );
    assert_eq!(ground.one(LEFT).await, "0");
    ground.sql("update note set body = 'after' where id = 1; delete from note where id = 2; truncate note").await;
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_retired_takes_no_trigger_of_ours_with_it() {
    let ground = Ground::new(&legacy(20)).await;
    let plan = ground.plan(&file(1).replace("changed_at = \"made\"", "outbox = true"), 7).await.unwrap();
    follow(&ground, &plan, None, async |passes| settled(passes).await).await.unwrap();
    let mut watched = Watched::of(ground, plan);
    watched.record().await;
    watched.start(false).await.unwrap();
    assert!(watched.sweep(false).await.unwrap().record.clean);
    watched.pass(DAY);
    assert!(watched.sweep(false).await.unwrap().record.clean);
    assert!(watched.would_retire().await.unwrap().holds);
    assert_ne!(watched.ground.one(LEFT).await, "0", "what is only looked at stays");
    // Who fails over it leaves all of it or nothing, and goes on.
    for (point, is_there) in [(Point::BeforeOutboxGoes, true), (Point::AfterOutboxWent, false)] {
        watched.failpoints = Failpoints::at(point, 1, Action::Error);
        let told = said(watched.retire().await);
        assert!(told.contains(point.name()), "{told}");
        assert_eq!(watched.ground.one(LEFT).await != "0", is_there);
    }
    let kept = watched.retire().await.unwrap();
    assert!(kept.holds && kept.renamed.is_some(), "{:#?}", kept.gates);
    assert_eq!(watched.ground.one(LEFT).await, "0");
    watched.close().await;
}

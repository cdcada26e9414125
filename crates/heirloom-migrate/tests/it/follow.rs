//! Following a source: quick passes by a column of change times, whole looks for what no time tells, and deletes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use heirloom_migrate::apply::{Applied, Follow, Followed, Options, Stop};
use heirloom_migrate::file::Budget;
use heirloom_migrate::plan::Plan;
use heirloom_migrate::source::{self, Since, Source};
use tokio::sync::mpsc;

use crate::support::{Ground, said};

const TABLE: &str =
    "create table note (id bigint primary key, body text not null, updated_at timestamptz not null default now());
    create index on note (updated_at);
    insert into note select n, 'note ' || n, now() - interval '1 day' from generate_series(1, 40) n";

const FILE: &str = "name = \"notes\"\n[source]\nurl = \"store\"\ntable = \"note\"\nkey = [\"id\"]\nchanged_at = \"updated_at\"\n\
    [namespace]\ntemplate = \"custom:all\"\n[map]\ncontent = \"body\"\nkind = { value = \"fact\" }\n\
    state = { value = \"canonical\" }\nupdated_at = \"updated_at\"\n";

const HOUR: Duration = Duration::from_secs(3_600);
const AT_ONCE: Duration = Duration::ZERO;

fn contents(of: &str) -> String {
    format!("select string_agg(content, ', ' order by content) from heirloom.memory where content like '{of}'")
}

/// Follows, and after each pass does what comes next; ends after the last.
async fn follow(
    ground: &Ground,
    source: &dyn Source,
    plan: &Plan,
    look_every: Duration,
    deletes: Option<Budget>,
    steps: &[&str],
) -> heirloom_migrate::Result<Applied> {
    let (stop, (told, mut passes)) = (Stop::default(), mpsc::unbounded_channel::<Followed>());
    let follow = Follow {
        every: Duration::from_millis(20),
        look_every,
        overlap: Duration::from_secs(2),
        told: Arc::new(move |now| {
            let _ = told.send(*now);
        }),
    };
    let options = Options { deletes, follow: Some(follow), ..Options::default() };
    let running = ground.apply_until(&stop, source, plan, options);
    let story = async {
        passes.recv().await?;
        for step in steps {
            ground.sql(step).await;
            // The pass in between may have begun before the step.
            passes.recv().await?;
            passes.recv().await?;
        }
        Some(())
    };
    tokio::pin!(running);
    tokio::select! {
        done = &mut running => return done,
        _ = story => stop.ask(),
    }
    running.await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_follows_by_its_time() {
    let ground = Ground::new(TABLE).await;
    let plan = ground.plan(FILE, 10).await.unwrap();
    let steps = [
        "update note set body = 'changed ' || id, updated_at = now() where id in (3, 17, 18)",
        "insert into note values (100, 'new at the end'), (0, 'new at the beginning')",
        // A writer whose clock is a second behind.
        "insert into note values (101, 'new and late', now() - interval '1 second')",
        // No time tells of these.
        "update note set body = 'changed without a time' where id = 5",
        "delete from note where id = 6",
    ];
    let done = follow(&ground, ground.source.as_ref(), &plan, HOUR, None, &steps).await.unwrap();
    let followed = done.followed.unwrap();
    assert_eq!((followed.inserted, followed.updated, followed.looks), (3, 3, 0), "{followed:?}");
    assert!(followed.passes >= 11 && followed.longest_lag_ms >= followed.lag_ms && !done.stopped, "{done:?}");
    assert_eq!(ground.one(&contents("changed%")).await, "changed 17, changed 18, changed 3");
    assert_eq!(ground.one(&contents("new%")).await, "new and late, new at the beginning, new at the end");
    assert_eq!(ground.one(&contents("note 6")).await, "note 6");

    // The next apply looks at everything, and the ledger adds up.
    let again = ground.apply(&plan).await.unwrap();
    assert_eq!((again.updated, again.inserted, again.written), (1, 0, 1));
    assert_eq!(ground.one("select sum(rows) from heirloom_migrate.chunk").await, "42");
    let found = ground.verify(&plan).await.unwrap();
    assert_eq!(found.difference_count, 1, "{:#?}", found.differences);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_dealt_with_is_left_alone() {
    let ground = Ground::new(TABLE).await;
    let plan = ground.plan(FILE, 10).await.unwrap();
    let steps = ["update note set body = 'changed ' || id, updated_at = now() where id in (3, 17, 18)"]
        .into_iter()
        .chain(["select 1"; 5])
        .collect::<Vec<_>>();
    let done = follow(&ground, ground.source.as_ref(), &plan, HOUR, None, &steps).await.unwrap();
    assert!(done.followed.unwrap().passes >= 13, "{done:?}");
    // Each claim raises the token: four chunks were handed down; two of them were dealt with as they changed, and once more
    // when the rows that had not changed fell behind the horizon.
    assert_eq!(ground.one("select sum(fence) from heirloom_migrate.chunk").await, "8");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_look_finds_what_no_time_tells() {
    let ground = Ground::new(TABLE).await;
    let plan = ground.plan(FILE, 10).await.unwrap();
    let steps = [
        "update note set body = 'changed without a time' where id = 5",
        "delete from note where id in (6, 39)",
        "insert into note values (102, 'long ago', '2020-01-01')",
    ];
    let done = follow(&ground, ground.source.as_ref(), &plan, AT_ONCE, None, &steps).await.unwrap();
    let followed = done.followed.unwrap();
    assert_eq!((followed.inserted, followed.updated, followed.gone.rows, followed.gone.forgotten), (1, 1, 2, 0));
    assert_eq!(followed.looks, followed.passes);
    assert_eq!(ground.one(&contents("note 6")).await, "note 6");

    // Nothing changed: nothing is written, whatever is looked at.
    let before = ground.versions().await;
    let done = follow(&ground, ground.source.as_ref(), &plan, AT_ONCE, None, &["select 1", "select 2"]).await.unwrap();
    assert_eq!((done.written, done.followed.unwrap().updated), (0, 0));
    assert_eq!(ground.versions().await, before);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_deleted_are_forgotten_where_that_is_asked_for() {
    let ground = Ground::new(TABLE).await;
    let plan = ground.plan(FILE, 10).await.unwrap();
    let budget = Some(Budget::Percent(10.0));
    let steps = ["delete from note where id in (6, 39)", "delete from note where id = 7"];
    let done = follow(&ground, ground.source.as_ref(), &plan, AT_ONCE, budget, &steps).await.unwrap();
    let gone = done.followed.unwrap().gone;
    assert_eq!((gone.rows, gone.forgotten), (0, 3));
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, "37");
    assert_eq!(
        ground.one("select string_agg(distinct reason, '') || count(*) from heirloom.tombstone").await,
        "deleted at the source3"
    );
    assert!(ground.verify(&plan).await.unwrap().holds);

    // They come back at the source, and stay forgotten.
    ground.sql("insert into note values (6, 'again')").await;
    assert_eq!(ground.apply(&plan).await.unwrap().forgotten, 1);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_shows_too_little_makes_nobody_forget() {
    let ground = Ground::new(TABLE).await;
    let plan = ground.plan(FILE, 10).await.unwrap();
    ground.apply(&plan).await.unwrap();
    ground.sql("delete from note where id > 35").await;
    let deleting = |budget| Options { deletes: Some(budget), ..Options::default() };
    let refused = said(ground.apply_with(&plan, deleting(Budget::Percent(10.0))).await);
    assert!(refused.contains("5 of 40 rows handed down are gone") && refused.contains("4 of them may be"), "{refused}");
    assert_eq!(ground.one("select count(*) from heirloom.memory").await, "40");
    assert_eq!(ground.one("select count(*) from heirloom.tombstone").await, "0");
    let refused =
        said(follow(&ground, ground.source.as_ref(), &plan, AT_ONCE, Some(Budget::Rows(4)), &["select 1"]).await);
    assert!(refused.contains("nothing was forgotten"), "{refused}");

    let done = ground.apply_with(&plan, deleting(Budget::Rows(5))).await.unwrap();
    assert_eq!(done.gone.map(|gone| (gone.rows, gone.forgotten)), Some((5, 5)));
    let done = ground.apply_with(&plan, deleting(Budget::Rows(0))).await.unwrap();
    assert_eq!(done.gone.map(|gone| (gone.rows, gone.forgotten)), Some((0, 0)));
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_followed_by_looking_at_it() {
    let ground = Ground::new("select 1").await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.db");
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(
        "create table note (id integer primary key, body text, updated_at text);
         insert into note values (1, 'one', '2026-01-01'), (2, 'two', '2026-01-01'), (3, 'three', '2026-01-01')",
    )
    .unwrap();
    let url = format!("sqlite:{}", path.display());
    let toml =
        FILE.replace("url = \"store\"", &format!("url = \"{url}\"")).replace("updated_at = \"updated_at\"\n", "")
            + "[keep]\ndrop = { updated_at = \"in the way\" }\n";
    let source = source::open(&url, ground.db.database()).await.unwrap();
    let plan = ground.plan_from(source.as_ref(), &toml, 2).await.unwrap();
    let file = Mutex::new(file);
    let stop = Stop::default();
    let asked = stop.clone();
    let told = move |now: &Followed| {
        let file = file.lock().unwrap();
        match now.passes {
            1 => file
                .execute_batch("update note set body = 'second' where id = 2; delete from note where id = 3")
                .unwrap(),
            2 => file.execute_batch("insert into note values (4, 'four', '2026-01-01')").unwrap(),
            3 => {}
            _ => asked.ask(),
        }
    };
    let follow = Follow { every: AT_ONCE, look_every: HOUR, overlap: AT_ONCE, told: Arc::new(told) };
    let options = Options { deletes: Some(Budget::Rows(1)), follow: Some(follow), ..Options::default() };
    let done = ground.apply_until(&stop, source.as_ref(), &plan, options).await.unwrap();
    let followed = done.followed.unwrap();
    assert_eq!((followed.inserted, followed.updated, followed.gone.forgotten), (1, 1, 1), "{followed:?}");
    assert_eq!(ground.one(&contents("%")).await, "four, one, second");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_horizon_reaches_back_and_never_beyond_now() {
    let ground = Ground::new(
        "create table note (id int primary key, at timestamptz, local timestamp, day date);
         insert into note values (1, '2026-01-01 12:00+00', '2026-01-01 12:00', '2026-01-01')",
    )
    .await;
    let relation = source::Relation::Table("note".into());
    let table = ground.source.describe(&relation).await.unwrap();
    let horizon = async |name: &str| {
        let column = table.columns.iter().find(|column| column.name == name).unwrap();
        ground.source.horizon(&relation, column, Duration::from_secs(60)).await.unwrap()
    };
    let since = |column: &str, declared: &str, from: &str| {
        Some(Since { column: column.into(), declared: declared.into(), from: from.into() })
    };
    assert_eq!(horizon("at").await, since("at", "timestamp with time zone", "2026-01-01 11:59:00+00"));
    assert_eq!(horizon("local").await, since("local", "timestamp without time zone", "2026-01-01 11:59:00"));
    assert_eq!(horizon("day").await, None);
    ground.sql("update note set at = 'infinity', local = '9999-01-01'").await;
    for column in ["at", "local"] {
        let from = horizon(column).await.unwrap().from;
        let cast = ground.one(&format!("select '{from}'::timestamptz < now() + interval '2 days'")).await;
        assert_eq!(cast, "true", "{column}: {from}");
    }
    ground.sql("delete from note").await;
    assert_eq!(horizon("at").await, since("at", "timestamp with time zone", "-infinity"));
    ground.close().await;
}

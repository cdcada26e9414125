//! A table of which the role that retires it cannot see every row: nothing of it is archived, renamed or dropped.
//! On a server: the embedded engine has one user, who sees everything.

use heirloom_migrate::retire::Phase;
use heirloom_migrate::source;

use crate::soak_ground::{DAY, Watched, file, legacy};
use crate::support::Ground;

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_from_whom_policies_hide_rows_retires_nothing() {
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let mut ground = Ground::new(&legacy(20)).await;
    let owner = ground.db.login("pg_monitor").await;
    let role = owner.split("://").nth(1).and_then(|rest| rest.split(':').next()).unwrap().to_owned();
    let name = ground.one("select quote_ident(current_database())").await;
    ground
        .sql(&format!(
            "insert into note values (21, 'agent-9', 'seen by agent-9 alone', now());
             grant create on schema public to {role};
             grant create on database {name} to {role};
             alter table note owner to {role};
             alter table note enable row level security;
             alter table note force row level security;
             create policy mine on note using (author <> 'agent-9')"
        ))
        .await;
    // The owner reads twenty of the rows, all the way: they are handed down, verified and watched.
    ground.source = source::open_alone(&owner).await.unwrap();
    let plan = ground.plan(&file(1), 7).await.unwrap();
    assert_eq!(plan.counts.rows, 20);
    ground.apply(&plan).await.unwrap();
    let mut watched = Watched::of(ground, plan);
    watched.record().await;
    watched.start(false).await.unwrap();
    watched.sweep(false).await.unwrap();
    watched.pass(DAY);
    assert!(watched.sweep(false).await.unwrap().calendar.over);

    assert_eq!(watched.short().await, ["table", "last-sweep", "archive"]);
    let refused = watched.retire().await.unwrap();
    let gate = refused.gates.iter().find(|gate| gate.id == "table").unwrap();
    assert_eq!((refused.holds, refused.phase), (false, Phase::Waiting));
    assert!(
        gate.found.contains("its policies hide rows from this role: use a role with BYPASSRLS")
            && gate.found.contains("`alter table note no force row level security`"),
        "{gate:?}"
    );
    assert!(!watched.manifest().exists(), "a part of the rows was archived");
    assert_eq!(watched.ground.one("select count(*) from note").await, "21");

    // With the cure every row is read, so that the one nobody handed down comes to light before anything goes.
    watched.ground.sql("alter table note no force row level security").await;
    assert_eq!(watched.short().await, ["last-sweep"]);
    watched.ground.sql("delete from note where author = 'agent-9'").await;
    watched.sweep(false).await.unwrap();
    watched.pass(DAY);
    watched.sweep(false).await.unwrap();
    let kept = watched.retire().await.unwrap();
    assert!(kept.holds, "{:#?}", kept.gates);
    // Nor is it dropped by somebody who sees a part of what is kept, nor brought back from the archive beside it.
    let renamed = kept.renamed.unwrap();
    watched.ground.sql(&format!("alter table {renamed} force row level security")).await;
    watched.pass(7 * DAY);
    assert_eq!(watched.short().await, ["table", "nothing-new"]);
    assert_eq!(watched.retire().await.unwrap().phase, Phase::Kept);
    assert_eq!(watched.ground.one(&format!("select count(*) from {renamed}")).await, "20");
    watched.ground.sql(&format!("alter table {renamed} no force row level security")).await;
    assert_eq!(watched.retire().await.unwrap().phase, Phase::Dropped);
    let back = watched.unretire().await.unwrap();
    assert!(back.from_archive);
    assert_eq!(watched.ground.one("select count(*) from note").await, "20");
    watched.close().await;
}

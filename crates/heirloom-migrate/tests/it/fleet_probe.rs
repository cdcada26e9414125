//! One credential tried on many others' tables: what may not be read keeps nothing from being tried after it.
//! On a server: the embedded engine has one user. And the store's policy tried, at the cost of what it lets through.

use std::time::Duration;

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::fleet::probe::{Tried, ask, sees_beyond, try_read};
use heirloom_migrate::source::Relation;

use crate::support::Ground;

#[tokio::test(flavor = "multi_thread")]
async fn many_are_tried_and_each_says_what_came_of_it() {
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let db = TestDatabase::fresh().await;
    let login = db.login("pg_monitor").await;
    let role = login.split("://").nth(1).and_then(|rest| rest.split(':').next()).unwrap().to_owned();
    // A hundred that show nothing, one in the middle that is refused, one that is not there.
    let mut sql = String::new();
    for at in 0..100 {
        sql.push_str(&format!("create table t{at} as select {at} as id; "));
        if at != 40 {
            sql.push_str(&format!("grant select on t{at} to {role}; alter table t{at} enable row level security; "));
        }
    }
    db.database().client().await.unwrap().batch_execute(&sql).await.unwrap();
    let mut relations: Vec<(Relation, String)> = (0..100)
        .map(|at| match at % 2 {
            0 => (Relation::Table(format!("t{at}")), format!("public.t{at}")),
            _ => (Relation::Query(format!("select * from public.t{at} where id >= 0;")), "query".to_owned()),
        })
        .collect();
    relations.push((Relation::Table("gone".to_owned()), "public.gone".to_owned()));
    let name = db.url().unwrap().rsplit('/').next().unwrap().to_owned();
    let (patience, mut signs) = (Duration::from_secs(60), 0);
    let tried = try_read(&login, &name, &relations, patience, &mut || signs += 1).await;
    assert_eq!(tried.len(), 101);
    for (at, tried) in tried.iter().enumerate() {
        let as_it_is = match at {
            40 => *tried == Tried::Refused,
            100 => matches!(tried, Tried::Absent(why) if why.contains("does not exist")),
            _ => *tried == Tried::Nothing,
        };
        assert!(as_it_is, "{at}: {tried:?}");
    }
    assert!((2..40).contains(&signs), "a signal a statement, and no statement a tenant: {signs}");

    // One row is enough, and ends it.
    db.database().client().await.unwrap().batch_execute("alter table t70 disable row level security").await.unwrap();
    let tried = try_read(&login, &name, &relations, patience, &mut || ()).await;
    assert_eq!(tried.iter().position(|tried| *tried == Tried::Read), Some(70));
    // No such database, and nobody who answers.
    let nowhere = try_read(&login, "there_is_none", &relations[..2], patience, &mut || ()).await;
    assert!(matches!(nowhere.as_slice(), [Tried::Unclear(_) | Tried::Refused, _]), "{nowhere:?}");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://nobody@{}/none", silent.local_addr().unwrap());
    let quiet = try_read(&url, "none", &relations[..2], Duration::from_millis(50), &mut || ()).await;
    assert!(
        quiet.iter().all(|tried| matches!(tried, Tried::Unclear(why) if why.contains("did not answer"))),
        "{quiet:?}"
    );
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_by_the_right_to_read_is_named_however_he_does() {
    const ROLES: [&str; 9] = ["barred", "column", "granted", "group", "member", "nobody", "owner", "reads", "super"];
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let db = TestDatabase::fresh().await;
    let mark = uuid::Uuid::new_v4().simple().to_string();
    let name = db.url().unwrap().rsplit('/').next().unwrap().to_owned();
    let sql = async |sql: &str| {
        let sql = sql.replace('@', &format!("_{mark}")).replace("{db}", &name);
        db.database().client().await.unwrap().batch_execute(&sql).await.unwrap();
    };
    let readers = async |table: &str| {
        let roles = ROLES.map(|role| format!("{role}_{mark}"));
        let found = ask(db.database(), &Relation::Table(table.to_owned()), table, &roles).await.unwrap();
        assert!(found.me.superuser && found.system.is_some(), "who asks is known whatever there is: {found:?}");
        let names = found.readers.iter().map(|role| role.split('_').next().unwrap().to_owned());
        names.collect::<Vec<String>>()
    };
    sql("create role owner@; create role granted@; create role column@; create role group@; create role member@ in role group@;
         create role super@ superuser; create role nobody@; create role barred@; create role reads@ in role pg_read_all_data;
         create schema s; create table s.t (id int, v text); alter table s.t owner to owner@;
         grant usage on schema s to owner@, granted@, column@, group@, nobody@;
         grant select on s.t to granted@, group@, barred@; grant select (id) on s.t to column@;
         create table own (id int); grant select on own to pg_database_owner; grant usage on schema public to public")
    .await;
    assert_eq!(readers("s.t").await, ["column", "granted", "group", "member", "owner", "reads", "super"]);
    assert!(readers("s.gone").await.is_empty());
    // Nobody lists who owns the database among the members of the role that he is a member of.
    sql("alter database {db} owner to nobody@").await;
    assert_eq!(readers("own").await, ["nobody", "reads", "super"]);
    sql("grant usage on schema s to public; grant select on s.t to public").await;
    assert_eq!(readers("s.t").await, ROLES);
    sql("alter database {db} owner to current_user; drop schema s cascade").await;
    for role in ROLES {
        sql(&format!("drop owned by {role}@; drop role {role}@")).await;
    }
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_is_tried_without_reading_other_tenants_rows() {
    let ground = Ground::new(
        "insert into heirloom.memory (id, namespace, kind, content)
         select gen_random_uuid(), 'custom:t7', 'fact', 'note ' || g from generate_series(1, 50) g;
         analyze heirloom.memory;
         insert into heirloom.memory (id, namespace, kind, content)
         select gen_random_uuid(), 'custom:t' || 8 + g % 90, 'fact', 'note ' || g from generate_series(1, 5000) g",
    )
    .await;
    let database = ground.db.database();
    let whole = "select seq_scan::text from pg_stat_user_tables where relid = 'heirloom.memory'::regclass";
    ground.sql("select pg_stat_force_next_flush()").await;
    let before = ground.one(whole).await;
    assert!(!sees_beyond(database, &["custom:t7".to_owned()]).await.unwrap());
    ground.sql("select pg_stat_force_next_flush()").await;
    assert_eq!(ground.one(whole).await, before, "the table was read whole");
    // Where no policy holds, it says so.
    ground.sql("alter table heirloom.memory disable row level security").await;
    assert!(sees_beyond(database, &["custom:t7".to_owned()]).await.unwrap());
    ground.close().await;
}

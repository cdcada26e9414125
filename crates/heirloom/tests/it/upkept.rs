//! What `serve` and `upkeep` keep up, and what of it the serving login may not do on a server; what they forget.

use std::sync::Arc;

use heirloom_engine::testkit::TestDatabase;
use heirloom_store::LARGE_NAMESPACE;

use crate::agent::World;
use crate::served::Served;
use crate::support::Home;

const LEFT: &str = "1 large namespace without indexes, 1 model without a centre";

const DONE: &str =
    "select (select count(*) from heirloom.model) + (select count(*) from heirloom.frequency where is_indexed)";

/// Asks until it is so; each question is a round trip.
async fn until(served: &Served, mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..5_000 {
        if so().await {
            return;
        }
        served.get("/healthz", "").await;
    }
    panic!("it does not come to it: {}", served.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_owner_may_do_is_told_and_done_where_the_owners_url_is_given() {
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let (home, db, other) = (Arc::new(Home::new()), TestDatabase::fresh().await, TestDatabase::fresh().await);
    let (owner, another) = (db.url().unwrap(), other.url().unwrap());
    for url in [owner, another] {
        let ran = home.run_with("up --dimension 4", &[("DATABASE_URL", url)]);
        assert_eq!(ran.code, 0, "{ran}");
    }
    let client = db.database().client().await.unwrap();
    let rows = format!(
        "begin; set local role heirloom_serve; set local heirloom.namespaces = 'team:a';
         insert into heirloom.memory (namespace, kind, content, embedding, embedding_model)
         select 'team:a', 'fact', 'note ' || n, '[1,2,3,4]', 'm' from generate_series(1, {}) n; commit",
        LARGE_NAMESPACE + 1
    );
    client.batch_execute(&rows).await.unwrap();
    drop(client);
    let login = db.login("heirloom_serve, heirloom_audit").await;
    let there = async || {
        let client = db.database().client().await.unwrap();
        client.query_one(DONE, &[]).await.unwrap().get::<_, i64>(0)
    };

    let ran = home.run_with("doctor", &[("DATABASE_URL", &login)]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains(LEFT) && ran.stdout.contains("set upkeep.url to"), "{ran}");
    let words = ["serve", "--listen", "127.0.0.1:0"];
    let served = Served::spawn(home.clone(), &words, &[("DATABASE_URL", &login)]);
    until(&served, async || served.log().contains(LEFT)).await;
    assert!(served.log().contains("run `heirloom upkeep` as the owner"), "{}", served.log());
    assert_eq!((there().await, served.stop().await), (0, Some(0)));

    let given = |url| [("DATABASE_URL", login.as_str()), ("HEIRLOOM_UPKEEP_URL", "env:OWNER_URL"), ("OWNER_URL", url)];
    for words in ["serve --listen 127.0.0.1:0", "upkeep"] {
        let ran = home.run_with(words, &given(another));
        assert_eq!(ran.code, 1, "{ran}");
        assert!(
            ran.stderr.contains("HEIRLOOM_UPKEEP_URL (upkeep.url)") && ran.stderr.contains("holds another store"),
            "{ran}"
        );
    }
    let served = Served::spawn(home.clone(), &words, &given(owner));
    until(&served, async || there().await == 2).await;
    assert!(!served.log().contains("without"), "{}", served.log());
    assert_eq!(served.stop().await, Some(0));
    let ran = home.run_with("doctor", &[("DATABASE_URL", &login)]);
    assert!(ran.code == 0 && !ran.stdout.contains("without"), "{ran}");
    other.close().await;
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_long_ago_is_forgotten_as_the_settings_say() {
    let world = World::new().await;
    let settings = world.home.path().join("settings.toml");
    let upkeep = |keep: &str| {
        std::fs::write(&settings, format!("[upkeep]\nkeep_expired = \"{keep}\"\n")).unwrap();
        world.run("upkeep --json --config settings.toml")
    };
    let year = jiff::SignedDuration::from_hours(365 * 24);
    let long_ago = (jiff::Timestamp::now() - year).to_string();
    for (text, ends) in [("old", long_ago.as_str()), ("never", "infinity")] {
        world.ends(0, &format!("remember {text} -n team:a --kind fact --expires-at {ends}"));
    }
    let there = || world.ends(0, "list -n team:a --json").json()["items"].as_array().unwrap().len();
    for keep in ["", "3650d"] {
        assert_eq!((upkeep(keep).json()["expired_forgotten"].as_u64(), there()), (Some(0), 2), "{keep:?}");
    }
    let ran = upkeep("soon");
    assert!(ran.code == 1 && ran.stderr.contains("upkeep.keep_expired"), "{ran}");
    let ran = world.ends(0, "upkeep");
    assert!(
        ran.stdout.lines().any(|line| line.contains("expired memories") && line.trim_end().ends_with('1')),
        "{ran}"
    );
    assert_eq!(there(), 1);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_forgets_by_itself_what_expired_long_ago() {
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        // The embedded store is kept up a minute after the start.
        return;
    }
    let (home, db) = (Arc::new(Home::new()), TestDatabase::fresh().await);
    let owner = [("DATABASE_URL", db.url().unwrap())];
    for words in ["up", "remember old -n team:a --kind fact --expires-at 2001-01-01T00:00:00Z"] {
        let ran = home.run_with(words, &owner);
        assert_eq!(ran.code, 0, "{ran}");
    }
    let login = db.login("heirloom_serve, heirloom_audit").await;
    let words = ["serve", "--listen", "127.0.0.1:0"];
    let served = Served::spawn(home.clone(), &words, &[("DATABASE_URL", &login)]);
    until(&served, async || {
        let client = db.database().client().await.unwrap();
        let left = "select count(*) from heirloom.memory";
        client.query_one(left, &[]).await.unwrap().get::<_, i64>(0) == 0
    })
    .await;
    assert_eq!(served.stop().await, Some(0));
    db.close().await;
}

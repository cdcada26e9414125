//! What `serve` keeps up by itself on a server, where the serving login may not do all of it.

use std::sync::Arc;

use heirloom_engine::testkit::TestDatabase;
use heirloom_store::LARGE_NAMESPACE;

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

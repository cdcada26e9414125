//! `schema.sql`: what the catalog holds after `up`, in stable order. Nobody executes it. `HEIRLOOM_BLESS=1` rewrites it.

use heirloom_store::UpOptions;
use heirloom_store::schema::{self, Catalog, STORE};

use crate::installed;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.sql");

/// The catalog as text; the same on every supported server.
async fn shown(client: &mut tokio_postgres::Client) -> String {
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("set local search_path = pg_catalog").await.unwrap();
    let rows = transaction.query(include_str!("catalog.sql"), &[]).await.unwrap();
    let mut text = String::from(
        "-- The catalog after `heirloom up`. Generated (HEIRLOOM_BLESS=1 cargo test -p heirloom-store catalog); not executed.\n",
    );
    for row in rows {
        text.push_str(row.get::<_, &str>(0));
        text.push('\n');
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_sql_shows_what_up_makes() {
    let (test, store) = installed().await;
    let mut client = store.database().client().await.unwrap();
    let shown = shown(&mut client).await;
    drop(client);
    test.close().await;
    if std::env::var_os("HEIRLOOM_BLESS").is_some() {
        std::fs::write(FILE, &shown).unwrap();
    }
    let kept = std::fs::read_to_string(FILE).unwrap();
    for (at, (kept, shown)) in kept.lines().zip(shown.lines()).enumerate() {
        assert_eq!(kept, shown, "schema.sql line {}: HEIRLOOM_BLESS=1 rewrites it", at + 1);
    }
    assert_eq!(kept.len(), shown.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_install_equals_every_upgrade() {
    let kept = std::fs::read_to_string(FILE).unwrap();
    let test = heirloom_engine::testkit::TestDatabase::fresh().await;
    let mut client = test.database().client().await.unwrap();
    client
        .batch_execute(
            "create extension if not exists vector; set heirloom.up_dimension = '1024'; \
             set heirloom.up_language = 'english'; set heirloom.up_version = '0'",
        )
        .await
        .unwrap();
    for version in 1..STORE.migrations.len() {
        Catalog { migrations: &STORE.migrations[..version], objects: &[], ..STORE }.up(&mut client).await.unwrap();
    }
    schema::up(&mut client, &UpOptions::default()).await.unwrap();
    let upgraded = shown(&mut client).await;
    drop(client);
    test.close().await;
    assert_eq!(kept, upgraded);
}

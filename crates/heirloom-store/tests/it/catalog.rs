//! `schema.sql`: what the catalog holds after `up`, in stable order. Nobody executes it. `HEIRLOOM_BLESS=1` rewrites it.

use heirloom_store::schema::{self, Catalog, STORE};
use heirloom_store::{Store, UpOptions};

use crate::installed;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.sql");
const RIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rights.txt");

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

/// What `up` and `doctor` look for is what the objects make; `HEIRLOOM_BLESS=1` rewrites the list.
#[tokio::test(flavor = "multi_thread")]
async fn rights_txt_lists_what_the_roles_may_do() {
    let (test, store) = installed().await;
    let client = store.database().client().await.unwrap();
    let schemas = ["heirloom", "memory_plugin", "pgmnemo"].as_slice();
    let rows = client.query(include_str!("../../sql/queries/schema/rights.sql"), &[&schemas]).await.unwrap();
    drop(client);
    assert_eq!(Store::missing_rights(test.database()).await.unwrap(), [""; 0]);
    test.close().await;
    let mut shown = String::from(
        "# What the roles may do after `heirloom up`. Generated (HEIRLOOM_BLESS=1); `up` puts back what is missing.\n",
    );
    for row in rows {
        shown.push_str(row.get::<_, &str>(0));
        shown.push('\n');
    }
    if std::env::var_os("HEIRLOOM_BLESS").is_some() {
        std::fs::write(RIGHTS, &shown).unwrap();
    }
    assert_eq!(std::fs::read_to_string(RIGHTS).unwrap(), shown, "HEIRLOOM_BLESS=1 rewrites rights.txt");
}

/// As on a server that did not have the roles when a dump was restored: the dump says that every object was applied.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_dump_lacks_is_missed_and_put_back() {
    let (test, store) = installed().await;
    let client = store.database().client().await.unwrap();
    client
        .batch_execute(
            "do $$ declare p record; begin
                 for p in select policyname, tablename from pg_policies where schemaname = 'heirloom' loop
                     execute format('drop policy %I on heirloom.%I', p.policyname, p.tablename);
                 end loop;
             end $$;
             revoke all on all tables in schema heirloom, pgmnemo, memory_plugin
                 from heirloom_serve, heirloom_audit, heirloom_service, heirloom_admin;
             revoke all on schema heirloom, pgmnemo from heirloom_serve, heirloom_audit, heirloom_service, heirloom_admin;
             alter table heirloom.memory no force row level security;
             alter function heirloom.whereabouts(uuid, text) owner to current_user",
        )
        .await
        .unwrap();
    drop(client);
    let missing = Store::missing_rights(test.database()).await.unwrap();
    for line in [
        "heirloom: policy tenant on memory for all to heirloom_serve, heirloom_service",
        "heirloom: policy dump on memory for select to the owner",
        "heirloom: row level security forced on memory",
        "heirloom: grant select on memory to heirloom_audit",
        "heirloom: grant select on model.centre to heirloom_serve",
        "heirloom: grant usage on schema to heirloom_serve",
        "heirloom: function whereabouts belongs to heirloom_audit",
        "pgmnemo: grant usage on schema to heirloom_serve",
        "memory_plugin: grant select on memory_records to heirloom_serve",
    ] {
        assert!(missing.contains(&line), "{line}: {missing:#?}");
    }
    Store::up(test.database(), &UpOptions::default()).await.unwrap();
    assert_eq!(Store::missing_rights(test.database()).await.unwrap(), [""; 0]);
    let mut client = store.database().client().await.unwrap();
    let after = shown(&mut client).await;
    // A schema of one of our names that is somebody else's is not ours to look after.
    client
        .batch_execute("comment on schema pgmnemo is 'theirs'; revoke all on schema pgmnemo from heirloom_serve")
        .await
        .unwrap();
    drop(client);
    assert_eq!(Store::missing_rights(test.database()).await.unwrap(), [""; 0]);
    test.close().await;
    assert_eq!(after, std::fs::read_to_string(FILE).unwrap());
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

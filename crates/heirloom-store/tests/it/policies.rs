//! Row-level security: a tenant sees and writes its namespaces and nothing else, whoever owns the table.

use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;

use crate::installed;

async fn serve(transaction: &Transaction<'_>, namespaces: &str) {
    transaction.batch_execute("set local role heirloom_serve").await.unwrap();
    transaction.execute("select set_config('heirloom.namespaces', $1, true)", &[&namespaces]).await.unwrap();
}

async fn count(transaction: &Transaction<'_>) -> i64 {
    transaction.query_one("select count(*) from heirloom.memory", &[]).await.unwrap().get(0)
}

const INSERT: &str = "insert into heirloom.memory (namespace, kind, content) values ($1, 'fact', 'a cup')";

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_sees_and_writes_its_namespaces_only() {
    let (test, store) = installed().await;
    let mut client = store.database().client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    serve(&transaction, "team:a,team:b").await;
    for namespace in ["team:a", "team:b"] {
        transaction.execute(INSERT, &[&namespace]).await.unwrap();
    }
    transaction.commit().await.unwrap();

    let transaction = client.transaction().await.unwrap();
    serve(&transaction, "team:a").await;
    assert_eq!(count(&transaction).await, 1);
    assert_eq!(transaction.execute("update heirloom.memory set importance = 5", &[]).await.unwrap(), 1);
    assert_eq!(transaction.execute("delete from heirloom.memory where namespace = 'team:b'", &[]).await.unwrap(), 0);
    let moved = transaction.execute("update heirloom.memory set namespace = 'team:b'", &[]).await.unwrap_err();
    assert_eq!(moved.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    drop(transaction);

    let transaction = client.transaction().await.unwrap();
    serve(&transaction, "team:a").await;
    let foreign = transaction.execute(INSERT, &[&"team:b"]).await.unwrap_err();
    assert_eq!(foreign.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    drop(transaction);

    for nothing in [None, Some("")] {
        let transaction = client.transaction().await.unwrap();
        match nothing {
            Some(namespaces) => serve(&transaction, namespaces).await,
            None => transaction.batch_execute("set local role heirloom_serve").await.unwrap(),
        }
        assert_eq!(count(&transaction).await, 0, "unset and empty show nothing");
        drop(transaction);
    }
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tenant_table_is_forced() {
    let (test, store) = installed().await;
    let client = store.database().client().await.unwrap();
    let open: Vec<String> = client
        .query(
            "select c.relname::text from pg_class c where c.relnamespace = 'heirloom'::regnamespace and c.relkind = 'r' \
             and not (c.relrowsecurity and c.relforcerowsecurity) order by 1",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(
        open,
        ["bound_role", "idempotency", "meta", "model", "object", "schema_version", "token", "workspace"],
        "tables of the store itself, no tenant's rows"
    );
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_into_the_table_is_refused() {
    let (test, store) = installed().await;
    let mut client = store.database().client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    serve(&transaction, "team:a").await;
    let refused = transaction.copy_in::<_, bytes::Bytes>("copy heirloom.memory (content) from stdin").await;
    assert_eq!(refused.err().unwrap().code(), Some(&SqlState::FEATURE_NOT_SUPPORTED));
    drop(transaction);
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_reads_all_and_writes_nothing() {
    let (test, store) = installed().await;
    let mut client = store.database().client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    serve(&transaction, "team:a,team:b").await;
    for namespace in ["team:a", "team:b"] {
        transaction.execute(INSERT, &[&namespace]).await.unwrap();
    }
    transaction.commit().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("set local role heirloom_audit").await.unwrap();
    assert_eq!(count(&transaction).await, 2);
    drop(transaction);
    let tables: Vec<String> = client
        .query("select tablename::text from pg_tables where schemaname = 'heirloom' order by 1", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    for table in tables {
        for statement in ["insert into heirloom.T default values", "delete from heirloom.T", "truncate heirloom.T"] {
            let transaction = client.transaction().await.unwrap();
            transaction.batch_execute("set local role heirloom_audit").await.unwrap();
            let error = transaction.execute(&statement.replace('T', &table), &[]).await.unwrap_err();
            assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{statement} {table}");
        }
    }
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_proves_is_only_added_to() {
    let (test, store) = installed().await;
    let mut client = store.database().client().await.unwrap();
    for statement in [
        "update heirloom.tombstone set reason = 'x'",
        "delete from heirloom.tombstone",
        "update heirloom.activity set action = 'x'",
        "delete from heirloom.activity",
        "select * from heirloom.token",
        "update heirloom.meta set dimension = 2",
    ] {
        let transaction = client.transaction().await.unwrap();
        serve(&transaction, "team:a").await;
        let error = transaction.execute(statement, &[]).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{statement}");
    }
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_without_a_namespace_writes_into_its_own() {
    let (test, store) = installed().await;
    let mut client = store.database().client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    serve(&transaction, "project:42").await;
    let row = transaction
        .query_one(
            "insert into heirloom.memory (project_id, role, topic, content) values (42, 'developer', 'jwt', 'rotate') \
             returning namespace, id, lesson_id",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "project:42");
    assert_eq!(row.get::<_, uuid::Uuid>(1).get_version_num(), 7);
    let foreign = transaction
        .execute("insert into heirloom.memory (project_id, kind, content) values (7, 'fact', 'c')", &[])
        .await
        .unwrap_err();
    assert_eq!(foreign.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    drop(transaction);
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_it_says_is_dated() {
    let (test, store) = installed().await;
    let mut client = store.database().client().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    serve(&transaction, "team:a").await;
    transaction
        .execute(
            "insert into heirloom.memory (namespace, kind, content, updated_at) values ('team:a', 'fact', 'a', '2001-01-01Z')",
            &[],
        )
        .await
        .unwrap();
    for (change, dated) in [
        ("importance = 5", false),
        ("content = 'a'", false),
        ("content = 'b', updated_at = '2002-01-01Z'", false),
        ("content = 'c'", true),
    ] {
        let now: bool = transaction
            .query_one(&format!("update heirloom.memory set {change} returning updated_at = now()"), &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(now, dated, "{change}");
    }
    drop(transaction);
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_no_memory_are_refused() {
    let (test, store) = installed().await;
    let mut client = store.database().client().await.unwrap();
    let long = format!("team:{}", "a".repeat(252));
    let cases: Vec<(&str, String)> = vec![
        ("memory_namespace_check", "namespace = 'Team:a'".into()),
        ("memory_namespace_check", "namespace = 'team:a b'".into()),
        ("memory_namespace_check", "namespace = E'team:a\\n'".into()),
        ("memory_namespace_check", "namespace = 'team:ä'".into()),
        ("memory_namespace_check", "namespace = 'team:'".into()),
        ("memory_namespace_check", format!("namespace = '{long}'")),
        ("memory_content_check", "content = ''".into()),
        ("memory_content_check", "content = E' \\t\\r\\n\\u000b\\u3000\\u2028\\u0085'".into()),
        ("memory_importance_check", "importance = 0".into()),
        ("memory_importance_check", "importance = 6".into()),
        ("memory_state_check", "state = 'Draft'".into()),
        ("memory_kind_check", "kind = 'note'".into()),
        ("memory_lesson_check", "kind = 'lesson'".into()),
        ("memory_source_check", "source = 'nobody'".into()),
        ("memory_confidence_check", "confidence = 1.5".into()),
        ("memory_confidence_check", "confidence = 'NaN'".into()),
        ("memory_item_kind_check", "item_kind = 'poem'".into()),
    ];
    for (constraint, change) in cases {
        let transaction = client.transaction().await.unwrap();
        transaction.execute(INSERT, &[&"team:a"]).await.unwrap();
        let error = transaction.execute(&format!("update heirloom.memory set {change}"), &[]).await.unwrap_err();
        assert_eq!(error.as_db_error().and_then(|db| db.constraint()), Some(constraint), "{change}");
    }
    for kept in ["content = E'\\u200b'", "content = E' x\\n'", "namespace = 'custom:A-Z_0.9:x'"] {
        let transaction = client.transaction().await.unwrap();
        transaction.execute(INSERT, &[&"team:a"]).await.unwrap();
        transaction.execute(&format!("update heirloom.memory set {kept}"), &[]).await.unwrap();
    }
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_of_any_length_is_kept() {
    let (test, store) = installed().await;
    let client = store.database().client().await.unwrap();
    for content in [
        "(select string_agg(md5(n::text), ' ') from generate_series(1, 90000) n)",
        "repeat('古池や蛙飛び込む水の音、', 200000)",
        "(select string_agg(chr(131072 + n), ' ') from generate_series(1, 40000) n)",
    ] {
        client
            .batch_execute(&format!(
                "insert into heirloom.memory (namespace, kind, role, topic, content) select 'team:a', 'fact', c, c, c from (select {content} as c)"
            ))
            .await
            .unwrap();
    }
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn force_holds_for_an_owner_who_is_no_superuser() {
    let test = heirloom_engine::testkit::TestDatabase::fresh().await;
    let mut client = test.database().client().await.unwrap();
    let owner = format!("owner_{}", uuid::Uuid::new_v4().simple());
    // By name: `reset session authorization` does not find the way back on the embedded engine.
    let me: String = client.query_one("select quote_ident(session_user)", &[]).await.unwrap().get(0);
    client
        .batch_execute(&format!(
            "create extension if not exists vector; create role {owner} createrole; \
             do $$ begin \
                 if exists (select from pg_roles where rolname = 'heirloom_serve') then \
                     grant heirloom_serve, heirloom_audit to {owner} with admin true, inherit false, set false; \
                 end if; \
                 execute format('grant create on database %I to {owner}', current_database()); \
             end $$; \
             set session authorization {owner}"
        ))
        .await
        .unwrap();
    heirloom_store::schema::up(&mut client, &heirloom_store::UpOptions::default()).await.unwrap();

    let transaction = client.transaction().await.unwrap();
    serve(&transaction, "team:a").await;
    transaction.execute(INSERT, &[&"team:a"]).await.unwrap();
    transaction.commit().await.unwrap();

    assert_eq!(client.query_one("select count(*) from heirloom.memory", &[]).await.unwrap().get::<_, i64>(0), 0);
    let refused = client.execute(INSERT, &[&"team:a"]).await.unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    client
        .batch_execute(&format!("set session authorization {me}; drop owned by {owner} cascade; drop role {owner}"))
        .await
        .unwrap();
    drop(client);
    test.close().await;
}

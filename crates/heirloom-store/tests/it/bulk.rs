//! The bulk loader: every value arrives as it was, once, where it is allowed.

use deadpool_postgres::Transaction;
use heirloom_store::bulk::{self, Known, Outcome, Row};
use heirloom_store::{Memory, Moment, Origin, Store, StoreError};
use uuid::Uuid;

use crate::installed;

fn row(namespace: &str, content: &str) -> Row {
    let mut memory = Memory::new(Uuid::new_v4(), namespace, content);
    memory.kind = "fact".to_owned();
    let origin = Origin {
        run_id: Uuid::from_u128(7),
        source: "postgres:legacy/public.notes".to_owned(),
        source_key: "[\"1\"]".to_owned(),
        source_row: "{ \"b\": 1.00, \"a\": null,  \"a\": \"\\u0000\" }".to_owned(),
        source_digest: [1; 16],
        written_digest: [2; 16],
    };
    Row { memory, origin }
}

fn allowed(namespaces: &[&str]) -> Vec<String> {
    namespaces.iter().map(|&namespace| namespace.to_owned()).collect()
}

/// Runs `$work` in one transaction of the store and commits it.
macro_rules! transact {
    ($store:expr, $tx:ident, $work:expr) => {{
        let mut client = $store.database().client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let $tx: &Transaction<'_> = &transaction;
        let done = $work;
        transaction.commit().await.unwrap();
        done
    }};
}

async fn text(store: &Store, sql: &str) -> Vec<Option<String>> {
    let client = store.database().client().await.unwrap();
    let row = client.query_one(sql, &[]).await.unwrap();
    (0..row.len()).map(|at| row.get(at)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_arrives_as_it_was() {
    let (test, store) = installed().await;
    let mut one = row("team:a", "  CRLF\r\n\ttab, 雪 🫖 e\u{301} \u{feff}\u{200b} ");
    let text_of = |name: &str| Some(format!("{name} ä"));
    let m = &mut one.memory;
    m.project_id = Some(-7);
    m.kind = "lesson".into();
    m.source = "imported".into();
    m.role = text_of("role");
    m.topic = text_of("topic");
    m.importance = 5;
    m.state = "conflicted".into();
    m.state_changed_at = Some(Moment::Micros(1));
    m.commit_sha = text_of("commit");
    m.artifact_hash = text_of("artifact");
    m.verified_at = Some(Moment::Micros(-1));
    m.source_run_id = Some("99999999999999999999".into());
    m.source_task_id = text_of("task");
    m.source_dag_id = text_of("dag");
    m.pin = true;
    m.propagation = Some(serde_json::json!([1, {"a": null}]));
    m.metadata = Some(serde_json::from_str("{\"n\": 12345678901234567890.10, \"s\": \"\\\\u0000 雪\"}").unwrap());
    m.embedding = Some(vec![-0.0, 1.5, f32::MIN_POSITIVE, 1e-42, f32::MAX]);
    m.embedding_model = text_of("model");
    m.expires_at = Some(Moment::Infinity);
    m.valid_from = Some(Moment::NegativeInfinity);
    m.valid_to = Some(Moment::Micros(253_402_300_800_000_000));
    m.created_at = Some(Moment::Micros(-62_135_596_800_000_000));
    m.updated_at = Some(Moment::Micros(1_700_000_000_123_456));
    m.confidence = Some(0.1);
    m.is_active = false;
    m.content_type = text_of("type");
    m.item_kind = "spec".into();
    let loaded =
        transact!(store, tx, bulk::load(tx, store.meta(), std::slice::from_ref(&one), &allowed(&["team:a"])).await)
            .unwrap();
    assert_eq!((loaded.inserted, loaded.skipped.len()), (1, 0));

    let client = store.database().client().await.unwrap();
    let got = client.query_one("select * from heirloom.memory", &[]).await.unwrap();
    let m = &one.memory;
    assert_eq!(got.get::<_, Uuid>("id"), m.id);
    assert_eq!(got.get::<_, i64>("lesson_id"), 1);
    assert_eq!(got.get::<_, Option<i32>>("project_id"), m.project_id);
    assert_eq!(got.get::<_, i16>("importance"), m.importance);
    assert_eq!((got.get::<_, bool>("pin"), got.get::<_, bool>("is_active")), (true, false));
    assert_eq!(got.get::<_, Option<f32>>("confidence"), m.confidence);
    assert_eq!(got.get::<_, Option<serde_json::Value>>("propagation"), m.propagation);
    assert_eq!(got.get::<_, Option<serde_json::Value>>("metadata"), m.metadata);
    for (column, want) in [
        ("namespace", Some(&m.namespace)),
        ("kind", Some(&m.kind)),
        ("source", Some(&m.source)),
        ("role", m.role.as_ref()),
        ("topic", m.topic.as_ref()),
        ("content", Some(&m.content)),
        ("state", Some(&m.state)),
        ("commit_sha", m.commit_sha.as_ref()),
        ("artifact_hash", m.artifact_hash.as_ref()),
        ("source_run_id", m.source_run_id.as_ref()),
        ("source_task_id", m.source_task_id.as_ref()),
        ("source_dag_id", m.source_dag_id.as_ref()),
        ("embedding_model", m.embedding_model.as_ref()),
        ("content_type", m.content_type.as_ref()),
        ("item_kind", Some(&m.item_kind)),
    ] {
        assert_eq!(got.get::<_, Option<String>>(column).as_ref(), want, "{column}");
    }
    let embedding: pgvector::Vector = got.get("embedding");
    let bits: Vec<u32> = embedding.as_slice().iter().map(|value| value.to_bits()).collect();
    let mut want: Vec<u32> = m.embedding.as_ref().unwrap().iter().map(|value| value.to_bits()).collect();
    want.resize(1024, 0);
    assert_eq!(bits, want, "bit for bit, then zeros");
    drop(client);

    let times = text(
        &store,
        "select (extract(epoch from state_changed_at) * 1000000)::bigint::text, \
         (extract(epoch from verified_at) * 1000000)::bigint::text, expires_at::text, valid_from::text, \
         (extract(epoch from valid_to) * 1000000)::bigint::text, \
         (extract(epoch from created_at) * 1000000)::bigint::text, \
         (extract(epoch from updated_at) * 1000000)::bigint::text from heirloom.memory",
    )
    .await;
    let want = ["1", "-1", "infinity", "-infinity", "253402300800000000", "-62135596800000000", "1700000000123456"];
    assert_eq!(times, want.map(|time| Some(time.to_owned())));
    let origin = text(&store, "select source, source_key, source_row::text, run_id::text from heirloom.origin").await;
    let want = [&one.origin.source, &one.origin.source_key, &one.origin.source_row, &one.origin.run_id.to_string()];
    assert_eq!(origin, want.map(|value| Some(value.clone())), "the source row is kept byte for byte");
    assert_eq!(
        text(&store, "select string_agg(name || ' ' || kind, ',') from heirloom.namespace").await,
        [Some("team:a team".to_owned())]
    );
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_does_not_say_stays_null() {
    let (test, store) = installed().await;
    let silent = row("team:a", "nothing said");
    let mut json_null = row("team:b", "null said");
    json_null.memory.metadata = Some(serde_json::Value::Null);
    transact!(store, tx, bulk::load(tx, store.meta(), &[silent, json_null], &allowed(&["team:a", "team:b"])).await)
        .unwrap();
    let nulls = text(
        &store,
        "select num_nulls(created_at, updated_at, state_changed_at, valid_from, valid_to, expires_at, confidence, \
         metadata, propagation, embedding)::text from heirloom.memory where namespace = 'team:a'",
    )
    .await;
    assert_eq!(nulls, [Some("10".to_owned())]);
    let said = text(&store, "select metadata::text from heirloom.memory where namespace = 'team:b'").await;
    assert_eq!(said, [Some("null".to_owned())], "JSON null is not SQL NULL");
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_or_was_forgotten_is_left_alone() {
    let (test, store) = installed().await;
    let everywhere = allowed(&["team:a", "team:b"]);
    let (here, gone, fresh) = (row("team:a", "here"), row("team:a", "gone"), row("team:a", "fresh"));
    transact!(store, tx, {
        bulk::load(tx, store.meta(), std::slice::from_ref(&here), &everywhere).await.unwrap();
        tx.execute("insert into heirloom.tombstone (id, namespace) values ($1, 'team:b')", &[&gone.memory.id])
            .await
            .unwrap();
    });
    let mut moved = row("team:b", "moved");
    moved.memory.id = here.memory.id;
    let rows = [here.clone(), gone.clone(), fresh.clone(), fresh.clone()];
    let (loaded, second) = transact!(store, tx, {
        let loaded = bulk::load(tx, store.meta(), &rows, &everywhere).await.unwrap();
        (loaded, bulk::load(tx, store.meta(), &[moved], &everywhere).await.unwrap())
    });
    assert_eq!(loaded.inserted, 1);
    assert_eq!(
        loaded.skipped,
        [
            (here.memory.id, Outcome::Present),
            (gone.memory.id, Outcome::Forgotten),
            (fresh.memory.id, Outcome::Repeated),
        ]
    );
    assert_eq!(second.inserted, 0);
    assert_eq!(second.skipped, [(here.memory.id, Outcome::Elsewhere("team:a".to_owned()))]);

    let ids = [here.memory.id, gone.memory.id, fresh.memory.id];
    let (known, forgotten) =
        transact!(store, tx, { (bulk::known(tx, &ids).await.unwrap(), bulk::forgotten(tx, &ids).await.unwrap()) });
    assert_eq!(forgotten.into_iter().collect::<Vec<_>>(), [gone.memory.id]);
    assert_eq!(known.len(), 2);
    let want = Known {
        namespace: "team:a".into(),
        source: here.origin.source.clone(),
        source_digest: [1; 16],
        written_digest: [2; 16],
    };
    assert_eq!(known.get(&here.memory.id), Some(&want));
    assert_eq!(
        text(&store, "select count(*)::text from heirloom.activity where action = 'load'").await,
        [Some("2".to_owned())],
        "a call that wrote nothing leaves no trace"
    );
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_a_foreign_namespace_is_refused_by_the_database() {
    let (test, store) = installed().await;
    let rows = [row("team:a", "mine"), row("team:b", "not mine")];
    for allowed in [allowed(&["team:a"]), Vec::new()] {
        let mut client = store.database().client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let error = bulk::load(&transaction, store.meta(), &rows, &allowed).await.unwrap_err();
        assert!(matches!(error, StoreError::Rights(_)), "{error}");
        drop(transaction);
        let kept: i64 = client.query_one("select count(*) from heirloom.memory", &[]).await.unwrap().get(0);
        assert_eq!(kept, 0);
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_transaction_is_who_it_was_before() {
    let (test, store) = installed().await;
    transact!(store, tx, {
        tx.batch_execute("set local heirloom.namespaces = 'team:x'").await.unwrap();
        let who = "select current_user::text || ' ' || current_setting('role') || ' ' || current_setting('heirloom.namespaces')";
        let before: String = tx.query_one(who, &[]).await.unwrap().get(0);
        let one = row("team:a", "a");
        bulk::load(tx, store.meta(), std::slice::from_ref(&one), &allowed(&["team:a"])).await.unwrap();
        bulk::known(tx, &[one.memory.id]).await.unwrap();
        assert_eq!(tx.query_one(who, &[]).await.unwrap().get::<_, String>(0), before);
    });
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_store_can_hold_is_refused_by_field_and_row() {
    let (test, store) = installed().await;
    type Spoil = fn(&mut Memory);
    let cases: [(&str, Spoil); 5] = [
        ("embedding", |m| m.embedding = Some(vec![0.0; 1025])),
        ("embedding", |m| m.embedding = Some(Vec::new())),
        ("embedding", |m| m.embedding = Some(vec![f32::NAN])),
        ("created_at", |m| m.created_at = Some(Moment::Micros(i64::MIN))),
        ("valid_to", |m| m.valid_to = Some(Moment::Micros(-211_813_488_000_000_001 + 946_684_800_000_000))),
    ];
    for (field, spoil) in cases {
        let mut wrong = row("team:a", "a secret");
        spoil(&mut wrong.memory);
        let id = wrong.memory.id.to_string();
        let mut client = store.database().client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let error = bulk::load(&transaction, store.meta(), &[wrong], &allowed(&["team:a"])).await.unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with(field) && said.contains(&id) && !said.contains("secret"), "{said}");
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_source_overwrites_and_its_times_are_kept() {
    let (test, store) = installed().await;
    let mut one = row("team:a", "before");
    one.memory.updated_at = Some(Moment::Micros(5));
    let silent = row("team:a", "silent before");
    let scope = allowed(&["team:a"]);
    transact!(store, tx, bulk::load(tx, store.meta(), &[one.clone(), silent.clone()], &scope).await).unwrap();
    let mut changed = [one, silent, row("team:a", "never handed down")];
    for row in &mut changed {
        row.memory.content.push_str(", after");
        row.origin.written_digest = [3; 16];
    }
    let replaced = transact!(store, tx, bulk::replace(tx, store.meta(), &changed, &scope).await).unwrap();
    assert_eq!(replaced, 2);
    let said = text(
        &store,
        "select string_agg(content, '|' order by content), \
         string_agg(coalesce((extract(epoch from updated_at) * 1000000)::bigint::text, 'null'), '|' order by content), \
         string_agg(version_n::text, '|'), (select string_agg(content, '|' order by content) from heirloom.revision), \
         (select string_agg(distinct encode(written_digest, 'hex'), ',') from heirloom.origin) from heirloom.memory",
    )
    .await;
    let want = [
        "before, after|silent before, after",
        "5|null",
        "2|2",
        "before|silent before",
        "03030303030303030303030303030303",
    ];
    assert_eq!(said, want.map(|value| Some(value.to_owned())));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_rows_of_two_hundred_namespaces_go_in_at_once_and_only_once() {
    let (test, store) = installed().await;
    let names: Vec<String> = (0..200).map(|n| format!("workspace:{n}")).collect();
    let rows: Vec<Row> = (0..20_000).map(|n| row(&names[n % names.len()], "a short note")).collect();
    let loaded = transact!(store, tx, bulk::load(tx, store.meta(), &rows, &names).await).unwrap();
    assert_eq!((loaded.inserted, loaded.skipped.len()), (20_000, 0));
    let again = transact!(store, tx, bulk::load(tx, store.meta(), &rows, &names).await).unwrap();
    assert_eq!((again.inserted, again.skipped.len()), (0, 20_000));
    let counts = text(
        &store,
        "select (select count(*) from heirloom.origin)::text, (select count(*) from heirloom.namespace)::text",
    )
    .await;
    assert_eq!(counts, ["20000", "200"].map(|value| Some(value.to_owned())));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ids_of_a_chunk_are_looked_up_and_no_tenant_is_read_whole_for_them() {
    let (test, store) = installed().await;
    let names: Vec<String> = (0..10).map(|n| format!("workspace:{n}")).collect();
    let rows: Vec<Row> = (0..1_000).map(|n| row(&names[n % names.len()], "a short note")).collect();
    transact!(store, tx, bulk::load(tx, store.meta(), &rows, &names).await).unwrap();
    store.look_again().await.unwrap();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.memory.id).filter(|id| id.as_bytes()[0] % 4 == 0).collect();
    // What the same session did before may still be counted in.
    let sql = "select sum(seq_scan)::bigint, current_setting('enable_seqscan') from pg_stat_xact_user_tables \
               where schemaname = 'heirloom' and relname in ('memory', 'origin')";
    let (scans, setting): (i64, String) = transact!(store, tx, {
        let before: i64 = tx.query_one(sql, &[]).await.unwrap().get(0);
        assert_eq!(bulk::known(tx, &ids).await.unwrap().len(), ids.len());
        assert!(bulk::lost(tx, &ids).await.unwrap().is_empty());
        let after = tx.query_one(sql, &[]).await.unwrap();
        (after.get::<_, i64>(0) - before, after.get(1))
    });
    assert_eq!((scans, setting.as_str()), (0, "on"), "whole reads, and the setting as it was before");
    test.close().await;
}

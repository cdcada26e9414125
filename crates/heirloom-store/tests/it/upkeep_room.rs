//! Which namespaces have indexes of their own: the largest hundred, and no longer than they are large.

use heirloom_store::{LARGE_NAMESPACE, MOST_INDEXED, Store};

use crate::installed;
use crate::world::{behind, number, scope, words};

const INDEXED: &str = "select count(*) from heirloom.frequency where is_indexed";
const INDEXES: &str =
    "select count(*) from pg_indexes where schemaname = 'heirloom' and indexname ~ '^memory_(words|signs)_'";

/// One namespace with just more memories than make it large.
async fn large(store: &Store) {
    let rows = LARGE_NAMESPACE + 1;
    behind(
        store,
        &format!(
            "insert into heirloom.memory (namespace, kind, content)
             select 'team:a', 'fact', 'note ' || n from generate_series(1, {rows}) n"
        ),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_hundred_that_have_indexes_the_smallest_gives_way_to_one_twice_as_large() {
    let (test, store) = installed().await;
    let ours = ["team:a".to_owned()];
    large(&store).await;
    behind(
        &store,
        &format!(
            "insert into heirloom.frequency (namespace, documents, is_indexed)
             select 'team:other' || n, {LARGE_NAMESPACE} + n, true from generate_series(1, {MOST_INDEXED}) n"
        ),
    )
    .await;
    let kept = store.upkeep(Some(&ours)).await.unwrap();
    assert_eq!((kept.namespaces_counted, kept.namespaces_indexed), (1, 0), "a hundred as large have them");
    assert!(store.is_kept(&ours).await.unwrap(), "and nothing is left to do");
    assert_eq!(store.recall(&scope("team:a"), &words("note 77")).await.unwrap().hits.len(), 10, "it is read whole");

    let half = LARGE_NAMESPACE / 2;
    behind(&store, &format!("update heirloom.frequency set documents = {half} where namespace = 'team:other7'")).await;
    assert!(!store.is_kept(&ours).await.unwrap());
    let kept = store.upkeep(Some(&ours)).await.unwrap();
    assert_eq!((kept.namespaces_indexed, kept.indexes_dropped), (1, 0));
    assert_eq!((number(&store, INDEXED).await, number(&store, INDEXES).await), (MOST_INDEXED, 2));
    let smallest = "select count(*) from heirloom.frequency where namespace = 'team:other7' and is_indexed";
    assert_eq!(number(&store, smallest).await, 0);
    assert!(store.is_kept(&ours).await.unwrap());
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_shrunk_or_was_deleted_gives_its_indexes_back() {
    let (test, store) = installed().await;
    large(&store).await;
    assert_eq!(store.upkeep(None).await.unwrap().namespaces_indexed, 1);
    behind(&store, "delete from heirloom.memory where hashtext(content) % 10 > 0").await;
    assert_eq!(store.upkeep(None).await.unwrap().indexes_dropped, 0, "it is smaller and not yet small");
    behind(&store, "delete from heirloom.memory where hashtext(content) % 10 < 0").await;
    let left = number(&store, "select count(*) from heirloom.memory").await;
    assert!(left > 0 && left < LARGE_NAMESPACE / 2, "{left}");
    let kept = store.upkeep(None).await.unwrap();
    assert_eq!((kept.indexes_dropped, number(&store, INDEXED).await, number(&store, INDEXES).await), (2, 0, 0));
    assert_eq!(store.recall(&scope("team:a"), &words("note")).await.unwrap().hits.len(), 10);
    assert_eq!(store.upkeep(None).await.unwrap(), heirloom_store::Kept::default());

    large(&store).await;
    assert_eq!(store.upkeep(None).await.unwrap().namespaces_indexed, 1);
    store.delete_namespace(&scope("team:a"), "team:a").await.unwrap();
    assert_eq!(number(&store, INDEXES).await, 2, "nobody waits for them to be dropped");
    if test.database().pool_size() > 1 {
        // Somebody builds: what he is about to use may look unused.
        let lock = "hashtext('heirloom.memory'), hashtext('indexes')";
        let builds = test.database().client().await.unwrap();
        builds.batch_execute(&format!("select pg_advisory_lock({lock})")).await.unwrap();
        assert_eq!(store.upkeep(None).await.unwrap().indexes_dropped, 0);
        builds.batch_execute(&format!("select pg_advisory_unlock({lock})")).await.unwrap();
    }
    assert_eq!(store.upkeep(None).await.unwrap().indexes_dropped, 2);
    assert_eq!(number(&store, INDEXES).await, 0);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runners_that_end_at_once_build_the_indexes_once() {
    let (test, store) = installed().await;
    large(&store).await;
    let ours = ["team:a".to_owned()];
    let (one, two, three, four) = tokio::join!(
        store.upkeep_words(&ours),
        store.upkeep_words(&ours),
        store.upkeep_words(&ours),
        store.upkeep_words(&ours)
    );
    for kept in [one, two, three, four] {
        kept.unwrap();
    }
    let whole = "select count(*) from pg_index where indrelid = 'heirloom.memory'::regclass and indisvalid
                 and indexrelid::regclass::text ~ 'memory_(words|signs)_'";
    assert_eq!((number(&store, INDEXES).await, number(&store, whole).await), (2, 2));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_namespace_finds_as_many_as_are_asked_for_behind_a_rare_word_and_behind_what_is_not_shown() {
    let (test, store) = installed().await;
    let rows = LARGE_NAMESPACE + 1;
    // A rare word beside common ones; and a word that thousands hold which are not shown, and lately forty that are.
    behind(
        &store,
        &format!(
            "insert into heirloom.memory (namespace, kind, topic, content, role, verified_at)
             select 'team:a', 'lesson', 't', 'common note ' || n || case when n % 1000 = 0 then ' haystack' else '' end,
                 case when n % 100 = 0 then 'rare' else 'dev' end, now()
             from generate_series(1, {rows}) n;
             insert into heirloom.memory (namespace, kind, topic, role, content)
             select 'team:a', 'lesson', 't', 'ops', 'bandicoot ' || n from generate_series(1, 8200) n;
             insert into heirloom.memory (namespace, kind, topic, role, content, verified_at)
             select 'team:a', 'lesson', 't', 'ops', 'bandicoot ' || n, now() from generate_series(1, 40) n"
        ),
    )
    .await;
    store.upkeep(None).await.unwrap();
    assert_eq!(number(&store, INDEXES).await, 2);
    for role in ["heirloom_serve", "none"] {
        let mut client = store.database().client().await.unwrap();
        let tx = client.transaction().await.unwrap();
        tx.batch_execute(&format!("set local role {role}; set local heirloom.namespaces = 'team:a'")).await.unwrap();
        for (question, of_role, wanted) in [
            ("haystack common note", None, 10),
            ("haystack common note", Some("dev"), 10),
            ("haystack common -needle", Some("dev"), 10),
            ("common -haystack", None, 10),
            ("bandicoot", None, 10),
        ] {
            let sql = "select count(*) from heirloom.recall($1, null, array['team:a'], 10, role => $2)";
            let found: i64 = tx.query_one(sql, &[&question, &of_role]).await.unwrap().get(0);
            assert_eq!(found, wanted, "{question} of {of_role:?} as {role}");
        }
        tx.rollback().await.unwrap();
    }
    test.close().await;
}

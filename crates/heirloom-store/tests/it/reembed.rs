//! Vectors of another model are made beside the live ones and become live all at once.

use heirloom_store::{Made, Recall, Remember, Revise, Store, embedded_text};

use crate::installed;
use crate::world::{axis, behind, fact, number, remembered, scope};

const NEW: &str = "next";

/// Makes what is due in a namespace, `limit` at a time; at most `rounds` times.
async fn fill(store: &Store, namespace: &str, limit: usize, rounds: usize) -> usize {
    let (mut after, mut made) = (None, 0);
    for _ in 0..rounds {
        let due = store.reembed_due(namespace, NEW, 8, after, limit).await.unwrap();
        let Some(last) = due.last() else { break };
        after = Some(last.id);
        made += due.len();
        let vectors: Vec<Made> = due
            .into_iter()
            .map(|due| Made { id: due.id, embedding: Some(axis(due.text.len() % 5, 0.2)), sha256: due.sha256 })
            .collect();
        store.reembed_keep(namespace, NEW, &vectors).await.unwrap();
    }
    made
}

fn old(n: usize) -> Remember {
    let new = fact("team:a", &format!("row {n}"));
    Remember { embedding: Some(axis(n % 6, 0.1)), embedding_model: Some("old".into()), ..new }
}

fn asked(model: &str) -> Recall {
    Recall { embedding: Some(axis(1, 0.1)), embedding_model: Some(model.into()), ..Recall::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_model_answers_until_the_switch_and_the_new_one_after_it() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    for n in 0..10 {
        remembered(&store, &old(n)).await;
    }
    remembered(&store, &fact("team:a", "no vector yet")).await;
    remembered(&store, &fact("team:b", "another's")).await;

    let before = store.recall(&team, &asked("old")).await.unwrap();
    // Half of it, and killed: nothing is live, and the rest is what is left to do.
    assert_eq!(fill(&store, "team:a", 3, 2).await, 6);
    assert_eq!(store.reembed_switch(&team, "team:a", NEW, 8).await.unwrap(), None);
    assert_eq!(store.recall(&team, &asked("old")).await.unwrap(), before);
    assert_eq!(store.recall(&team, &asked(NEW)).await.unwrap().hits.len(), 0);
    assert_eq!(fill(&store, "team:a", 3, 9).await, 5);
    let state = store.reembed_state(NEW, Some(8), Some(&["team:a".to_owned()])).await.unwrap().remove(0);
    assert_eq!((state.memories, state.others, state.beside, state.missing, state.live), (11, 10, 11, 0, 0));

    assert_eq!(store.reembed_switch(&team, "team:a", NEW, 8).await.unwrap(), Some(11));
    assert_eq!(store.recall(&team, &asked("old")).await.unwrap().hits.len(), 0);
    assert!(!store.recall(&team, &asked(NEW)).await.unwrap().hits.is_empty());
    assert_eq!(number(&store, "select count(*) from heirloom.embedding").await, 0);
    assert_eq!(
        number(&store, "select count(*) from heirloom.memory where embedding_model = 'next'").await,
        11,
        "team:b is as it was"
    );
    assert_eq!(
        number(&store, "select (details->>'memories')::bigint from heirloom.activity where action = 'reembed'").await,
        11
    );
    // Again: nothing to do, nothing written.
    assert_eq!(fill(&store, "team:a", 3, 9).await, 0);
    assert_eq!(store.reembed_switch(&team, "team:a", NEW, 8).await.unwrap(), Some(0));
    assert_eq!(number(&store, "select count(*) from heirloom.activity where action = 'reembed'").await, 1);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_or_revised_or_forgotten_meanwhile_is_taken_in() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(remembered(&store, &old(n)).await);
    }
    let due = store.reembed_due("team:a", NEW, 8, None, 10).await.unwrap();
    // One is forgotten while its vector is made; the others keep theirs.
    let gone = heirloom_store::Forget { id: ids[3], ..heirloom_store::Forget::default() };
    store.forget(&team, &gone).await.unwrap();
    let made: Vec<Made> =
        due.into_iter().map(|due| Made { id: due.id, sha256: due.sha256, embedding: Some(axis(0, 0.2)) }).collect();
    assert_eq!(store.reembed_keep("team:a", NEW, &made).await.unwrap(), 3);
    // One says something else, one is about something else, one is new: the vectors made before do not stand for them.
    let revise = |id, change: Revise| Revise { id, ..change };
    let content = revise(ids[0], Revise { content: Some("other words".into()), ..Revise::default() });
    store.revise(&team, &content).await.unwrap();
    let topic = revise(ids[1], Revise { topic: Some("other things".into()), ..Revise::default() });
    store.revise(&team, &topic).await.unwrap();
    remembered(&store, &old(9)).await;
    assert_eq!(store.reembed_switch(&team, "team:a", NEW, 8).await.unwrap(), None);
    assert_eq!(number(&store, "select count(*) from heirloom.memory where embedding_model = 'next'").await, 0);
    assert_eq!(fill(&store, "team:a", 10, 5).await, 3);
    assert_eq!(store.reembed_switch(&team, "team:a", NEW, 8).await.unwrap(), Some(4));
    // A forgotten memory leaves no vector behind.
    assert_eq!(number(&store, "select count(*) from heirloom.embedding").await, 0);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_the_model_has_no_vector_for_is_asked_once_and_loses_the_old_one() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    remembered(&store, &old(1)).await;
    let due = store.reembed_due("team:a", NEW, 8, None, 10).await.unwrap().remove(0);
    let none = Made { id: due.id, sha256: due.sha256, embedding: None };
    store.reembed_keep("team:a", NEW, &[none]).await.unwrap();
    assert_eq!(store.reembed_switch(&team, "team:a", NEW, 8).await.unwrap(), Some(1));
    assert_eq!(number(&store, "select count(*) from heirloom.memory where embedding is null").await, 1);
    assert!(store.reembed_due("team:a", NEW, 8, None, 10).await.unwrap().is_empty());
    let state = store.reembed_state(NEW, None, None).await.unwrap().remove(0);
    assert_eq!((state.without, state.missing, state.waits()), (1, 0, false));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_of_another_width_under_the_same_name_does_not_count() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    remembered(&store, &old(1)).await;
    fill(&store, "team:a", 10, 1).await;
    assert_eq!(store.reembed_switch(&team, "team:a", NEW, 4).await.unwrap(), None);
    assert_eq!(store.reembed_due("team:a", NEW, 4, None, 10).await.unwrap().len(), 1);
    let due = store.reembed_due("team:a", "third", 8, None, 10).await.unwrap().remove(0);
    for bad in [vec![], vec![0.0; 3], vec![f32::NAN], vec![1.0; 1025]] {
        let made = Made { id: due.id, sha256: due.sha256.clone(), embedding: Some(bad) };
        assert!(store.reembed_keep("team:a", "third", &[made]).await.is_err());
    }
    assert!(store.reembed_state(" ", None, None).await.is_err());
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_changes_no_time_of_a_row() {
    let (test, store) = installed().await;
    let id = remembered(&store, &old(1)).await;
    behind(
        &store,
        "insert into heirloom.memory (namespace, kind, role, topic, content, source_type, commit_sha, updated_at)
         values ('team:a', 'lesson', 'r', 't', 'by the SQL door', 'imported', 'c0ffee', '2026-01-01Z');
         update heirloom.memory set updated_at = '2026-01-02Z'",
    )
    .await;
    assert_eq!(fill(&store, "team:a", 10, 5).await, 2);
    assert_eq!(store.reembed_switch(&scope("team:a"), "team:a", NEW, 8).await.unwrap(), Some(2), "{id}");
    assert_eq!(number(&store, "select count(*) from heirloom.memory where updated_at <> '2026-01-02Z'").await, 0);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_sees_no_vectors_of_another() {
    let (test, store) = installed().await;
    remembered(&store, &old(1)).await;
    fill(&store, "team:a", 10, 5).await;
    let mut client = store.database().client().await.unwrap();
    for (namespace, seen) in [("team:a", 1_i64), ("team:b", 0), ("", 0)] {
        let tx = client.transaction().await.unwrap();
        tx.batch_execute(&format!("set local role heirloom_serve; set local heirloom.namespaces = '{namespace}'"))
            .await
            .unwrap();
        let row = tx.query_one("select count(*) from heirloom.embedding", &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), seen, "{namespace}");
    }
    drop(client);
    assert!(store.reembed_switch(&scope("team:b"), "team:a", NEW, 8).await.is_err());
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_embeds_the_text_that_the_program_does() {
    let (test, store) = installed().await;
    let client = store.database().client().await.unwrap();
    for (topic, content) in [(None, "a"), (Some(""), "a"), (Some("t"), "a\r\nb"), (Some(" "), " ü ")] {
        let row = client.query_one("select heirloom.embedded_text($1, $2)", &[&topic, &content]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), embedded_text(topic, content));
    }
    drop(client);
    test.close().await;
}

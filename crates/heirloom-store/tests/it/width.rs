//! The vectors of one model have one width in a namespace, by whichever way they come.

use deadpool_postgres::Transaction;
use heirloom_store::bulk::{self, Outcome, Row};
use heirloom_store::{Made, Memory, Recall, Remember, Revise, Store, StoreError};
use uuid::Uuid;

use crate::door::Door;
use crate::installed;
use crate::world::{behind, fact, handed_down, ids, number, remembered, scope};

fn of_model(namespace: &str, content: &str, width: usize) -> Remember {
    Remember { embedding: Some(vec![0.5; width]), embedding_model: Some("m".to_owned()), ..fact(namespace, content) }
}

fn asked(width: usize) -> Recall {
    Recall { embedding: Some(vec![0.5; width]), embedding_model: Some("m".to_owned()), ..Recall::default() }
}

/// That a vector of `found` numbers was refused where `accepted` are accepted.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, StoreError>, found: usize, accepted: usize) {
    let error = answer.expect_err("another width");
    let StoreError::Invalid { field: "embedding", found: told, accepted: takes } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*told, format!("{found} dimensions"));
    assert!(takes.starts_with(&format!("the {accepted} that vectors of its model have")), "{takes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_width_under_one_name_is_refused_and_nothing_is_written() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let about = Remember { topic: Some("t".to_owned()), ..of_model("team:a", "first", 3) };
    let id = remembered(&store, &about).await;
    for width in [2, 4, 1024] {
        refused(store.remember(&team, &of_model("team:a", "second", width)).await, width, 3);
        refused(store.commit(&team, &Remember { id: Some(id), ..of_model("team:a", "second", width) }).await, width, 3);
        let change = Revise {
            id,
            embedding: Some(vec![0.5; width]),
            embedding_model: Some("m".to_owned()),
            ..Revise::default()
        };
        refused(store.revise(&team, &change).await, width, 3);
        refused(store.recall(&team, &asked(width)).await, width, 3);
        refused(store.recall_of_topic(&team, &asked(width), "t").await, width, 3);
    }
    assert_eq!(number(&store, "select count(*) from heirloom.memory").await, 1);
    assert_eq!(ids(&store.recall(&team, &asked(3)).await.unwrap()), [id]);
    // Another name, none, and another tenant's namespace: nothing there binds anybody here.
    remembered(&store, &Remember { embedding_model: Some("n".to_owned()), ..of_model("team:a", "other", 4) }).await;
    remembered(&store, &Remember { embedding_model: None, ..of_model("team:a", "unnamed", 5) }).await;
    remembered(&store, &of_model("team:b", "theirs", 4)).await;
    refused(store.remember(&scope("team:b"), &of_model("team:b", "theirs too", 3)).await, 3, 4);
    // A namespace that is deleted takes its widths along.
    store.delete_namespace(&team, "team:a").await.unwrap();
    remembered(&store, &of_model("team:a", "anew", 4)).await;
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_of_sql_is_refused_what_goes_beyond_the_width_of_the_model() {
    let door = Door::open().await;
    let vector = |first: usize| {
        format!("(array_fill(0.5::real, array[{first}]) || array_fill(0::real, array[{}]))::vector(1024)", 1024 - first)
    };
    let write = |namespace: &str, width: usize| {
        format!(
            "insert into heirloom.memory (namespace, kind, content, embedding_model, embedding)
             values ('{namespace}', 'fact', 'text', 'm', {})",
            vector(width)
        )
    };
    door.run("insert into heirloom.model_width (namespace, model, dimension) values ('team:a', 'm', 3)").await;
    door.run(&write("team:a", 3)).await;
    door.run(&write("team:a", 2)).await;
    for sql in [
        write("team:a", 4),
        format!("update heirloom.memory set embedding = {}", vector(4)),
        format!("select * from heirloom.recall(null, {}, '{{team:a}}', query_model => 'm')", vector(4)),
    ] {
        let refusal = door.refused(&sql).await;
        assert_eq!(refusal.code, "22000", "{sql}");
        assert!(
            refusal.message.contains(
                "embedding has 4 dimensions: accepted are the 3 that vectors of the model 'm' have in team:a"
            ),
            "{}",
            refusal.message
        );
    }
    let narrow = format!(
        "select * from heirloom.recall(null, {}, '{{team:a}}', query_model => 'm', query_dimension => 2)",
        vector(2)
    );
    assert_eq!(door.refused(&narrow).await.code, "22000");
    assert_eq!(
        door.row(&format!(
            "select count(*) from heirloom.recall(null, {}, '{{team:a}}', query_model => 'm')",
            vector(3)
        ))
        .await,
        "2"
    );
    // Where the model is new, a vector that fills its room says how wide it is; what is shorter may be padded.
    door.run(&write("team:b", 7)).await;
    assert_eq!(door.row("select count(*) from heirloom.model_width where namespace = 'team:b'").await, "0");
    door.run(&write("team:b", 1024)).await;
    assert_eq!(door.row("select dimension from heirloom.model_width where namespace = 'team:b'").await, "1024");
    // What moves takes its width along, and is refused where the model has another.
    door.run("insert into heirloom.model_width (namespace, model, dimension) values ('team:d', 'm', 4)").await;
    door.run("update heirloom.memory set namespace = 'team:c' where namespace = 'team:a'").await;
    assert_eq!(door.row("select dimension from heirloom.model_width where namespace = 'team:c'").await, "3");
    let refusal = door.refused("update heirloom.memory set namespace = 'team:d' where namespace = 'team:c'").await;
    assert_eq!(refusal.code, "22000");
    door.close().await;
}

fn row(namespace: &str, width: usize) -> Row {
    let mut memory = Memory::new(Uuid::new_v4(), namespace, format!("{width} wide"));
    memory.kind = "fact".to_owned();
    memory.embedding = Some(vec![0.5; width]);
    memory.embedding_model = Some("m".to_owned());
    handed_down(memory)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_leaves_out_the_rows_of_another_width_and_says_so() {
    let (test, store) = installed().await;
    let everywhere = ["team:a".to_owned(), "team:b".to_owned()];
    remembered(&store, &of_model("team:a", "first", 3)).await;
    let rows = [row("team:a", 4), row("team:a", 3), row("team:b", 4), row("team:b", 3)];
    let mut client = store.database().client().await.unwrap();
    let tx: Transaction<'_> = client.transaction().await.unwrap();
    let loaded = bulk::load(&tx, store.meta(), &rows, &everywhere).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(loaded.inserted, 2);
    assert_eq!(
        loaded.skipped,
        [
            (rows[0].memory.id, Outcome::OtherWidth { found: 4, kept: 3 }),
            (rows[3].memory.id, Outcome::OtherWidth { found: 3, kept: 4 })
        ]
    );
    let mut changed = rows[1].clone();
    changed.memory.embedding = Some(vec![0.5; 4]);
    let tx = client.transaction().await.unwrap();
    let error = bulk::replace(&tx, store.meta(), &[changed], &everywhere).await.unwrap_err();
    assert!(error.to_string().starts_with("embedding: 4 dimensions (row "), "{error}");
    tx.rollback().await.unwrap();
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_first_writers_at_once_one_says_the_width() {
    let (test, store) = installed().await;
    for round in 0..8 {
        let namespace = format!("team:r{round}");
        let (team, three, four) = (scope(&namespace), of_model(&namespace, "a", 3), of_model(&namespace, "b", 4));
        let (a, b) = tokio::join!(store.remember(&team, &three), store.remember(&team, &four));
        match (a, b) {
            (Ok(_), b) => refused(b, 4, 3),
            (a, Ok(_)) => refused(a, 3, 4),
            (a, b) => panic!("{a:?} {b:?}"),
        }
    }
    test.close().await;
}

async fn fill(store: &Store, width: usize) -> usize {
    let due = store.reembed_due("team:a", "m", width, None, 100).await.unwrap();
    let made: Vec<Made> = due
        .into_iter()
        .map(|due| Made { id: due.id, sha256: due.sha256, embedding: Some(vec![0.25; width]) })
        .collect();
    store.reembed_keep("team:a", "m", &made).await.unwrap();
    made.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn reembed_gives_a_model_another_width() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    for n in 0..3 {
        remembered(&store, &of_model("team:a", &format!("row {n}"), 3)).await;
    }
    let state = async |width| store.reembed_state("m", Some(width), None).await.unwrap().remove(0);
    assert_eq!((state(3).await.live, state(3).await.missing), (3, 0));
    assert_eq!((state(4).await.live, state(4).await.others, state(4).await.missing), (0, 3, 3));
    assert_eq!(fill(&store, 4).await, 3);
    // Until they are exchanged the old width holds.
    refused(store.recall(&team, &asked(4)).await, 4, 3);
    assert_eq!(store.reembed_switch(&team, "team:a", "m", 4).await.unwrap(), Some(3));
    assert_eq!((state(4).await.live, state(4).await.missing), (3, 0));
    assert_eq!(store.recall(&team, &asked(4)).await.unwrap().hits.len(), 3);
    refused(store.remember(&team, &of_model("team:a", "late", 3)).await, 3, 4);
    remembered(&store, &of_model("team:a", "in time", 4)).await;
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_had_vectors_before_learns_their_widths() {
    let (test, store) = installed().await;
    remembered(&store, &of_model("team:a", "three", 3)).await;
    remembered(&store, &of_model("team:b", "four", 4)).await;
    remembered(&store, &Remember { embedding_model: Some("n".to_owned()), ..of_model("team:a", "five", 5) }).await;
    remembered(&store, &Remember { embedding_model: None, ..of_model("team:a", "unnamed", 6) }).await;
    // A model that has been looked at says so itself.
    let vectors: Vec<Vec<f32>> = (0_u16..64).map(|n| (1_u16..=7).map(|at| f32::from(n * at)).collect()).collect();
    store.first_centre("n", &vectors.iter().map(Vec::as_slice).collect::<Vec<_>>()).await.unwrap();
    behind(&store, "drop table heirloom.model_width").await;
    behind(&store, include_str!("../../sql/migrations/0020_model_width.sql")).await;
    let client = store.database().client().await.unwrap();
    let sql = "select string_agg(namespace || ' ' || model || ' ' || dimension, ', ' order by namespace, model)
               from heirloom.model_width";
    let found: String = client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(found, "team:a m 3, team:a n 7, team:b m 4");
    drop(client);
    test.close().await;
}

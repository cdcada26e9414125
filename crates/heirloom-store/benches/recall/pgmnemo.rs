//! pgmnemo on the same rows: its table and its hybrid search beside ours, on the same server, one after the other.
//!
//! HEIRLOOM_PGMNEMO names the SQL file that installs it (the extension's own script, made fit for psql: pgmnemo is on no
//! registry). It is asked as a superuser, whom its row-level security does not hold up; ours as the serving role.

use std::process::Command;

use heirloom_engine::testkit::TestDatabase;
use heirloom_store::Store;

use crate::collection::{Collection, Order, Question, Turn};
use crate::measure::{Found, Mode, ask_all};

const MODES: [(Mode, &str); 3] =
    [(Mode::Words, "words"), (Mode::Vectors, "vectors"), (Mode::Both, "words and vectors")];

pub(crate) async fn run(store: &Store, collection: Option<&Collection>) {
    let (Some(collection), Ok(file)) = (collection, std::env::var("HEIRLOOM_PGMNEMO")) else {
        println!("pgmnemo beside it needs HEIRLOOM_LOCOMO and HEIRLOOM_PGMNEMO, the SQL file that installs it.\n");
        return;
    };
    let peer = TestDatabase::fresh().await;
    let Some(url) = peer.url() else {
        println!("pgmnemo beside it needs a server in HEIRLOOM_TEST_URL.\n");
        return;
    };
    let installed =
        Command::new("psql").args(["-qX", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", &file]).output().unwrap();
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    load(&peer, collection).await;

    let merged = merged(collection);
    merged.load(store, "custom:all", Order::AsSaid).await;
    store.upkeep(None).await.unwrap();
    for settle in ["vacuum analyze heirloom.memory", "vacuum analyze heirloom.lexeme"] {
        store.database().client().await.unwrap().batch_execute(settle).await.unwrap();
    }
    println!("pgmnemo on the same rows, medians in ms (recall@10)");
    println!("  {:44} {:>16} {:>16} {:>7}", "", "pgmnemo", "heirloom", "times");
    for (mode, name) in MODES {
        let theirs = ask(&peer, collection, mode, true).await;
        let ours = ask_all(store, collection, "project", mode, true).await;
        line(&format!("one conversation of {}, {name}", collection.scopes()), &theirs, &ours);
        let theirs = ask(&peer, &merged, mode, false).await;
        let ours = ask_all(store, &merged, "custom:all", mode, true).await;
        line(&format!("all {} rows, {name}", merged.turns.len()), &theirs, &ours);
    }
    println!();
    peer.close().await;
}

fn line(name: &str, theirs: &Found, ours: &Found) {
    let side = |found: &Found| format!("{:.2} ({:.3})", found.median_ms, found.at_10);
    println!("  {name:44} {:>16} {:>16} {:7.1}", side(theirs), side(ours), theirs.median_ms / ours.median_ms);
}

/// A lesson a turn: its conversation as project, its session as topic, a commit of its own, verified.
async fn load(peer: &TestDatabase, collection: &Collection) {
    let mut client = peer.database().client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let statement = tx
        .prepare(
            "insert into pgmnemo.agent_lesson (role, project_id, topic, lesson_text, commit_sha, verified_at, created_at, \
             embedding, metadata) values ('agent', $1, $2, $3, $4, now(), to_timestamp($5, 'HH12:MI am on DD Month, YYYY'), \
             $6::real[]::vector, jsonb_build_object('turn', $7::text))",
        )
        .await
        .unwrap();
    for (turn, vector) in collection.turns.iter().zip(&collection.turn_vectors) {
        let project = i32::try_from(turn.conversation).unwrap();
        let topic = format!("session {}", turn.session);
        let commit = format!("{}/{}", turn.conversation, turn.turn);
        let mut padded = vector.clone();
        padded.resize(1_024, 0.0);
        tx.execute(&statement, &[&project, &topic, &turn.text, &commit, &turn.said_at, &padded, &commit])
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    client.batch_execute("vacuum analyze pgmnemo.agent_lesson").await.unwrap();
}

async fn ask(peer: &TestDatabase, collection: &Collection, mode: Mode, scoped: bool) -> Found {
    let client = peer.database().client().await.unwrap();
    client.batch_execute("set client_min_messages = error").await.unwrap();
    // The server's own clock, from the arrival of the call to its last row.
    let statement = client
        .prepare(
            "select array_agg(r.metadata ->> 'turn' order by r.score desc), \
             (extract(epoch from clock_timestamp() - statement_timestamp()) * 1000)::float8 \
             from pgmnemo.recall_hybrid($1::real[]::vector, $2, 10, null, $3) r",
        )
        .await
        .unwrap();
    let (mut times, mut all) = (Vec::new(), Vec::new());
    for (question, vector) in collection.questions.iter().zip(&collection.question_vectors) {
        let words = (mode != Mode::Vectors).then_some(question.question.as_str());
        let padded = (mode != Mode::Words).then(|| {
            let mut padded = vector.clone();
            padded.resize(1_024, 0.0);
            padded
        });
        let project = scoped.then(|| i32::try_from(question.conversation).unwrap());
        let row = client.query_one(&statement, &[&padded, &words, &project]).await.unwrap();
        times.push(row.get(1));
        let turns: Option<Vec<String>> = row.get(0);
        let bare = |turn: String| if scoped { turn.split_once('/').unwrap().1.to_owned() } else { turn };
        all.push(turns.unwrap_or_default().into_iter().map(bare).collect());
    }
    Found::of(collection, &all, times)
}

/// All conversations in one scope, their sessions and turns kept apart.
fn merged(collection: &Collection) -> Collection {
    let turns = collection.turns.iter().map(|turn| Turn {
        conversation: 0,
        session: turn.conversation * 1_000 + turn.session,
        turn: format!("{}/{}", turn.conversation, turn.turn),
        said_at: turn.said_at.clone(),
        text: turn.text.clone(),
    });
    let questions = collection.questions.iter().map(|question| Question {
        conversation: 0,
        question: question.question.clone(),
        evidence: question.evidence.iter().map(|turn| format!("{}/{turn}", question.conversation)).collect(),
    });
    Collection {
        turns: turns.collect(),
        questions: questions.collect(),
        turn_vectors: collection.turn_vectors.clone(),
        question_vectors: collection.question_vectors.clone(),
    }
}

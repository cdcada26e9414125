//! A second command on an embedded store that another process has open says who has it.

use heirloom_engine::{Database, Location, Options};

use crate::support::Home;

#[tokio::test(flavor = "multi_thread")]
async fn the_second_owner_is_told_who_the_first_is() {
    let home = Home::new();
    let dir = home.path().join("store");
    let database = Database::open(&Location::Embedded(dir.clone()), &Options::default()).await.unwrap();
    let ran = home.run("list --namespace custom:x --data store");
    let pid = std::process::id();
    assert_eq!(ran.code, 4, "{ran}");
    assert!(ran.stderr.starts_with("Error: The embedded store in [HOME]/store is open in another process"), "{ran}");
    assert!(ran.stderr.contains(&format!("process {pid} since 20")), "{ran}");
    assert!(ran.stderr.contains("hint: wait until that process ends"), "{ran}");

    let ran = home.run("doctor --data store --json");
    assert_eq!(ran.code, 3, "{ran}");
    assert_eq!(ran.json()["checks"][0]["verdict"], "failed", "{ran}");
    database.close().await.unwrap();

    let ran = home.run("doctor --data store");
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("fsync is off"), "{ran}");
}

#[test]
fn looking_at_a_store_that_is_not_there_makes_none() {
    let home = Home::new();
    for words in ["doctor", "status", "rejects", "list --namespace custom:x", "recall --namespace custom:x hello"] {
        let ran = home.run(&format!("{words} --data store"));
        assert!([0, 1].contains(&ran.code), "{words}: {ran}");
        assert!(!home.path().join("store").exists(), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_counts_the_namespaces_that_nobody_described() {
    let home = Home::new();
    home.run("up --data store");
    home.run("remember --data store --namespace team:a --kind fact 'rain'");
    let at = Location::Embedded(home.path().join("store"));
    let database = Database::open(&at, &Options::default()).await.unwrap();
    let sql = "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, project_id)
               values ('r', 't', 'x', 'c', 1), ('r', 't', 'y', 'c', 2), ('r', 't', 'z', 'c', 2)";
    database.client().await.unwrap().batch_execute(sql).await.unwrap();
    database.close().await.unwrap();
    let ran = home.run("doctor --data store");
    assert!(ran.stdout.contains("4 memories in 3 namespaces"), "{ran}");
}

//! Another model beside the live one: recall goes on with the old until the switch, and a killed run goes on.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::embeddings::{empty, found, run, told};
use crate::endpoint::Endpoint;

#[tokio::test(flavor = "multi_thread")]
async fn the_model_is_changed_beside_the_live_one_and_switched_at_once() {
    let legacy = empty().await;
    let endpoint = Endpoint::new();
    let (old, next) = (endpoint.variables("old"), endpoint.variables("next"));
    for word in ["feline", "automobile", "wiped"] {
        told(&legacy, &format!("remember {word}"), &old);
    }
    let before = found(&legacy, "cat", &old);
    let made = told(&legacy, "reembed --batch 2", &next);
    assert_eq!((&made["namespaces"][0]["made"], &made["namespaces"][0]["state"]), (&json!(3), &json!("ready")));
    assert_eq!(found(&legacy, "cat", &old), before);
    let text = run(&legacy, "reembed", &next).stdout;
    assert!(text.contains("heirloom reembed --switch"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    // The new model has nothing to compare with yet, and says so.
    let early = told(&legacy, "recall feline", &next);
    assert_eq!(early["ranked_by"], "words");
    let text = run(&legacy, "recall feline", &next).stdout;
    assert!(text.contains("nothing found has a vector of the model next"), "{text}");

    // Written and revised meanwhile, with the old model: taken in by the switch.
    let id = told(&legacy, "remember reset", &old)["id"].as_str().unwrap().to_owned();
    told(&legacy, &format!("revise {id} --content sundays"), &old);
    let done = told(&legacy, "reembed --switch", &next);
    assert_eq!((&done["namespaces"][0]["made"], &done["namespaces"][0]["moved"]), (&json!(1), &json!(4)));
    assert_eq!(done["namespaces"][0]["state"], "done");
    assert_eq!(found(&legacy, "cat", &next).0[0], "feline");
    assert_eq!(legacy.one("select string_agg(distinct embedding_model, '+') from heirloom.memory").await, "next");
    assert_eq!(legacy.one("select count(*) from heirloom.embedding").await, "0");
    let asked = endpoint.asked().len();
    assert_eq!(told(&legacy, "reembed --switch", &next)["namespaces"][0]["made"], 0);
    assert_eq!(endpoint.asked().len(), asked);
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_goes_on_where_it_was() {
    let legacy = empty().await;
    for n in 0..9 {
        told(&legacy, &format!("remember feline{n}"), &[]);
    }
    // Silent from the fifth request on: one for the width, three with a text, and one that never ends.
    let (reached, wait) = mpsc::channel();
    let endpoint = Endpoint::with(move |asked| {
        if asked.at == 4 {
            let _ = reached.send(());
            std::thread::park();
        }
    });
    let mut command = legacy.home.command();
    command.args(["reembed", "--batch", "1"]).envs(legacy.variables()).envs(endpoint.variables("old"));
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    wait.recv_timeout(Duration::from_secs(60)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();

    let deadline = Instant::now() + Duration::from_secs(60);
    let vars = endpoint.variables("old");
    // The dead process' hold on an embedded store is found out and taken over.
    let done = loop {
        let ran = run(&legacy, "reembed --batch 1 --json", &vars);
        if ran.code == 0 {
            break ran.json();
        }
        assert!(ran.code == 4 && Instant::now() < deadline, "{ran}");
    };
    assert_eq!((&done["namespaces"][0]["made"], &done["namespaces"][0]["moved"]), (&json!(6), &json!(9)));
    // Nine texts, and once more the one whose vector never came.
    assert_eq!(endpoint.texts(), 10);
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_a_namespace_covers_the_store_and_gives_the_model_its_centre() {
    let legacy = empty().await;
    let sql = "insert into heirloom.memory (namespace, kind, content) \
               select 'team:' || g % 3, 'fact', case g % 2 when 0 then 'cat ' else 'car ' end || g from generate_series(1, 90) g";
    legacy.sql(sql).await;
    let endpoint = Endpoint::new();
    let mut vars = legacy.variables();
    vars.extend(endpoint.variables("old"));
    let ran = legacy.home.run_with("reembed", &vars);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(ran.stdout.matches("done").count(), 3, "{ran}");
    assert_eq!(legacy.one("select vectors from heirloom.model where name = 'old'").await, "90");
    assert_eq!(legacy.one("select count(*) from heirloom.memory where sign_bits is null").await, "0");
    assert_eq!(endpoint.asked().iter().map(|asked| asked.texts.len()).max(), Some(30));
    let bad = legacy.home.run_with("reembed --batch 0", &vars);
    assert_eq!(bad.code, 2, "{bad}");
    legacy.close().await;
}

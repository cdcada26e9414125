//! Vectors from a provider: what is written and asked gets them, and a provider that is down is no reason to stop.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use heirloom::config::{Config, EmbeddingProvider, Flags};
use heirloom::context::{Cancel, Unwatched};
use heirloom::{Context, ops};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::legacy::Legacy;
use crate::support::Ran;

/// Settings of a provider that is not there.
pub(crate) const DOWN: [(&str, &str); 4] = [
    ("HEIRLOOM_EMBEDDING_PROVIDER", "openai-compatible"),
    ("HEIRLOOM_EMBEDDING_URL", "http://127.0.0.1:1/v1"),
    ("HEIRLOOM_EMBEDDING_MODEL", "old"),
    ("HEIRLOOM_EMBEDDING_RETRIES", "0"),
];

/// Runs words with variables beside those of the store.
pub(crate) fn run(legacy: &Legacy, words: &str, variables: &[(&str, &str)]) -> Ran {
    let mut all = legacy.variables();
    all.push(("HEIRLOOM_NAMESPACES", "team:a"));
    all.extend_from_slice(variables);
    legacy.home.run_with(words, &all)
}

/// The same, for its result as JSON.
#[track_caller]
pub(crate) fn told(legacy: &Legacy, words: &str, variables: &[(&str, &str)]) -> Value {
    let ran = run(legacy, &format!("{words} --json"), variables);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{words}: {ran}");
    ran.json()
}

/// What a question finds, and what that was ranked by.
#[track_caller]
pub(crate) fn found(legacy: &Legacy, question: &str, variables: &[(&str, &str)]) -> (Vec<String>, String) {
    let found = told(legacy, &format!("recall {question}"), variables);
    let hits = found["hits"].as_array().unwrap().iter().map(|hit| hit["content"].as_str().unwrap().to_owned());
    (hits.collect(), found["ranked_by"].as_str().unwrap().to_owned())
}

/// A store with nothing in it.
pub(crate) async fn empty() -> Legacy {
    let legacy = Legacy::new("select 1").await;
    legacy.ends(0, "up");
    legacy
}

#[tokio::test(flavor = "multi_thread")]
async fn what_means_the_same_is_found_without_a_word_in_common() {
    let legacy = empty().await;
    let endpoint = Endpoint::new();
    let vars = endpoint.variables("old");
    for word in ["feline", "automobile"] {
        assert_eq!(told(&legacy, &format!("remember {word}"), &vars)["embedded"], true);
    }
    assert_eq!(endpoint.asked()[0].texts, ["feline"]);
    assert_eq!(legacy.one("select string_agg(distinct embedding_model, '+') from heirloom.memory").await, "old");
    assert_eq!(found(&legacy, "cat", &vars).0[0], "feline");
    assert_eq!(found(&legacy, "cat", &vars).1, "words and vectors");
    assert_eq!(found(&legacy, "cat", &[]), (vec![], "words".into()));
    // A vector of the caller's own is taken as it is, and nobody is asked.
    let asked = endpoint.asked().len();
    let own = told(&legacy, "remember own --embedding [1,2,3] --embedding-model mine", &vars);
    assert_eq!(own["embedded"], true);
    let own = run(&legacy, "recall --embedding [1,2,3] --embedding-model mine --json", &vars).json();
    assert_eq!((&own["ranked_by"], &own["hits"][0]["content"]), (&json!("vectors"), &json!("own")));
    assert_eq!(endpoint.asked().len(), asked);
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_words_rank_and_a_person_is_told_once() {
    let legacy = empty().await;
    assert_eq!(told(&legacy, "remember hello", &[])["embedded"], false);
    let text = run(&legacy, "recall hello", &[]).stdout;
    assert_eq!(text.matches("words alone").count(), 1, "{text}");
    assert!(text.ends_with("no embedding provider is set (embedding.provider).\n"), "{text}");
    let told = told(&legacy, "recall hello", &[]);
    assert_eq!((&told["ranked_by"], told.get("warning")), (&json!("words"), None));
    let ran = run(&legacy, "reembed", &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("(embedding.provider): none was found; to make vectors, set it to"), "{ran}");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_is_named_and_what_was_written_meanwhile_is_filled_in_later() {
    let legacy = empty().await;
    let reason = "The embedding provider http://127.0.0.1:1/v1/embeddings cannot be connected to";
    let written = told(&legacy, "remember feline", &DOWN);
    assert_eq!((&written["embedded"], &written["warning"]), (&json!(false), &json!(reason)));
    let text = run(&legacy, "remember automobile", &DOWN).stdout;
    assert!(text.contains("No vector was written with it") && text.contains("heirloom reembed"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let asked = told(&legacy, "recall feline", &DOWN);
    assert_eq!((&asked["ranked_by"], &asked["warning"]), (&json!("words"), &json!(reason)));
    assert_eq!(asked["hits"].as_array().unwrap().len(), 1);
    let text = run(&legacy, "recall feline", &DOWN).stdout;
    assert_eq!(text.matches("Ranked by words alone.").count(), 1, "{text}");
    let ran = run(&legacy, "reembed --json", &DOWN);
    assert_eq!(ran.code, 4, "{ran}");
    assert!(ran.stderr.contains("embedding-unreachable"), "{ran}");

    let endpoint = Endpoint::new();
    let vars = endpoint.variables("old");
    assert_eq!(found(&legacy, "cat", &vars), (vec![], "words and vectors".into()));
    let checked = told(&legacy, "reembed --check-only", &vars);
    assert_eq!(
        (&checked["namespaces"][0]["missing"], &checked["namespaces"][0]["state"]),
        (&json!(2), &json!("missing"))
    );
    let done = told(&legacy, "reembed", &vars);
    assert_eq!((&done["namespaces"][0]["moved"], &done["namespaces"][0]["state"]), (&json!(2), &json!("done")));
    assert_eq!(done["dimension"], 4);
    assert_eq!(found(&legacy, "cat", &vars).0[0], "feline");
    // Again: nobody is asked, nothing is written.
    let asked = endpoint.asked().len();
    assert_eq!(told(&legacy, "reembed", &vars)["namespaces"][0]["made"], 0);
    assert_eq!(endpoint.asked().len(), asked);
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_asked_for_fewer_numbers_costs_the_vector_until_it_is_reembedded() {
    let legacy = empty().await;
    let endpoint = Endpoint::new();
    let wide = endpoint.variables("next");
    let mut narrow = wide.clone();
    narrow.push(("HEIRLOOM_EMBEDDING_DIMENSIONS", "3"));
    let id = told(&legacy, "remember feline", &wide)["id"].as_str().unwrap().to_owned();
    let reason = "The model next makes vectors of 3 dimensions; accepted are the 4 that vectors of its model have";
    let warned = |told: &Value| told["warning"].as_str().is_some_and(|warning| warning.starts_with(reason));
    let written = told(&legacy, "remember automobile", &narrow);
    assert!(written["embedded"] == false && warned(&written), "{written}");
    let revised = told(&legacy, &format!("revise {id} --content cat"), &narrow);
    assert!(revised["embedded"] == false && warned(&revised), "{revised}");
    told(&legacy, &format!("revise {id} --content feline"), &wide);
    let asked = told(&legacy, "recall feline", &narrow);
    assert!(asked["ranked_by"] == "words" && warned(&asked), "{asked}");
    // A caller's own vector is the caller's to mend.
    let own = run(&legacy, "remember own --embedding [1,2,3] --embedding-model next", &wide);
    assert!(own.code == 1 && own.stderr.contains("embedding: 3 dimensions; the 4 that"), "{own}");
    let done = told(&legacy, "reembed --switch", &narrow);
    assert_eq!((&done["namespaces"][0]["moved"], &done["dimension"]), (&json!(2), &json!(3)));
    assert_eq!(
        found(&legacy, "cat", &narrow),
        (vec!["feline".into(), "automobile".into()], "words and vectors".into())
    );
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revised_memory_gets_a_vector_of_what_it_says_now() {
    let legacy = empty().await;
    let endpoint = Endpoint::new();
    let vars = endpoint.variables("old");
    let id = told(&legacy, "remember feline --topic pets", &vars)["id"].as_str().unwrap().to_owned();
    assert_eq!(endpoint.asked()[0].texts, ["pets\n\nfeline"]);
    assert_eq!(told(&legacy, &format!("revise {id} --content automobile"), &vars)["embedded"], true);
    assert_eq!(endpoint.asked().last().unwrap().texts, ["pets\n\nautomobile"]);
    assert_eq!(found(&legacy, "car", &vars).0, ["automobile"]);
    told(&legacy, &format!("revise {id} --topic transport"), &vars);
    assert_eq!(endpoint.asked().last().unwrap().texts, ["transport\n\nautomobile"]);
    // The same again asks nobody and writes nothing.
    let asked = endpoint.asked().len();
    let same = told(&legacy, &format!("revise {id} --content automobile"), &vars);
    assert_eq!((&same["changed"], same.get("embedded"), &same["version"]), (&json!(false), None, &json!(3)));
    assert_eq!(endpoint.asked().len(), asked);
    let lost = told(&legacy, &format!("revise {id} --content feline"), &DOWN);
    assert_eq!(lost["embedded"], false);
    assert_eq!(legacy.one("select count(*) from heirloom.memory where embedding is not null").await, "0");
    let stale = run(&legacy, &format!("revise {id} --content x --expected-version 1"), &vars);
    assert_eq!(stale.code, 1, "{stale}");
    legacy.close().await;
}

/// A model of two words in a folder: F32, one row a token, written byte by byte.
fn write_model(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": { "type": "Whitespace" }, "post_processor": null, "decoder": null,
        "model": {
            "type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": { "?": 0, "cat": 1, "feline": 2, "car": 3 }
        }
    });
    let header = json!({ "embeddings": { "dtype": "F32", "shape": [4, 2], "data_offsets": [0, 32] } }).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    for number in [0.0_f32, 0.0, 1.0, 0.0, 0.9, 0.1, 0.0, 1.0] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    std::fs::write(folder.join("model.safetensors"), bytes).unwrap();
    std::fs::write(folder.join("config.json"), "{\"normalize\": true}").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_model_in_a_folder_needs_no_network() {
    let legacy = empty().await;
    write_model(&legacy.home.path().join("tiny"));
    let vars = [("HEIRLOOM_EMBEDDING_PROVIDER", "model2vec"), ("HEIRLOOM_EMBEDDING_PATH", "tiny")];
    assert_eq!(told(&legacy, "remember feline", &vars)["embedded"], true);
    let unknown = told(&legacy, "remember walrus", &vars);
    assert_eq!(unknown["warning"], "The model tiny knows no word of the text");
    assert_eq!(found(&legacy, "cat", &vars), (vec!["feline".into()], "words and vectors".into()));
    assert_eq!(found(&legacy, "walrus", &vars), (vec!["walrus".into()], "words".into()));
    // What the model has no vector for is told, and asked once.
    assert_eq!(told(&legacy, "reembed", &vars)["namespaces"][0]["made"], 1);
    let again = told(&legacy, "reembed", &vars);
    assert_eq!((&again["namespaces"][0]["made"], &again["namespaces"][0]["without"]), (&json!(0), &json!(1)));
    std::fs::remove_file(legacy.home.path().join("tiny/config.json")).unwrap();
    let without = told(&legacy, "recall walrus", &vars);
    assert!(without["warning"].as_str().unwrap().contains("config.json cannot be used"), "{without}");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_to_the_endpoint_and_nowhere_else() {
    let legacy = empty().await;
    let endpoint = Endpoint::new();
    let mut vars = endpoint.variables("old");
    vars.push(("HEIRLOOM_EMBEDDING_API_KEY_ENV", "MY_KEY"));
    let ran = run(&legacy, "remember feline --json", &vars);
    assert!(ran.stdout.contains("the variable MY_KEY is not set"), "{ran}");
    vars.push(("MY_KEY", "sk-hunter2"));
    told(&legacy, "remember cat", &vars);
    assert_eq!(endpoint.asked()[0].key.as_deref(), Some("sk-hunter2"));
    for words in ["config", "config --json", "doctor", "recall cat -vvv"] {
        let ran = run(&legacy, words, &vars);
        assert!(ran.code == 0 && !ran.to_string().contains("hunter2"), "{ran}");
    }
    legacy.close().await;
}

/// The settings of a command with one connection and a provider at `url`.
fn config(legacy: &Legacy, url: &str) -> Config {
    let variables: Vec<(String, String)> =
        legacy.variables().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let file = legacy.home.path().join("c.toml");
    std::fs::write(&file, "").unwrap();
    let flags = Flags { config: Some(file), ..Flags::default() };
    let look = |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let mut config = Config::load(&flags, &look).unwrap();
    if !config.database.data.as_os_str().is_empty() {
        config.database.data = legacy.home.path().join(&config.database.data);
    }
    config.database.pool = 1;
    config.caller.namespaces = vec!["team:a".into()];
    config.embedding.provider = EmbeddingProvider::OpenaiCompatible;
    config.embedding.url = url.to_owned();
    config.embedding.model = "old".into();
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_holds_a_connection_while_the_provider_works() {
    let legacy = empty().await;
    let place: Arc<OnceLock<(Arc<Context>, tokio::runtime::Handle)>> = Arc::default();
    let inside = place.clone();
    // Each answer waits until it got the only connection there is.
    let endpoint = Endpoint::with(move |_| {
        let (context, runtime) = inside.get().unwrap();
        drop(runtime.block_on(async { context.database().await.unwrap().client().await.unwrap() }));
    });
    let context = Arc::new(Context::new(config(&legacy, &endpoint.url), Arc::new(Unwatched), Cancel::default()));
    assert!(place.set((context.clone(), tokio::runtime::Handle::current())).is_ok());
    let run = async |name: &str, arguments: Value| {
        (ops::Op::find(name).unwrap().run)(&context, arguments).await.unwrap().json
    };
    let done = run("remember", json!({ "content": "feline" })).await;
    assert_eq!(done["embedded"], true);
    run("revise", json!({ "id": done["id"], "content": "the cat" })).await;
    assert_eq!(run("recall", json!({ "query": "feline" })).await["ranked_by"], "words and vectors");
    let sql = "update heirloom.memory set embedding = null, embedding_model = null";
    context.database().await.unwrap().client().await.unwrap().batch_execute(sql).await.unwrap();
    assert_eq!(run("reembed", json!({})).await["namespaces"][0]["moved"], 1);
    context.close().await.unwrap();
    assert_eq!(endpoint.asked().len(), 5);
    drop(context);
    legacy.close().await;
}

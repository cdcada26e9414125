//! The providers against an endpoint made here and a model written by hand.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::model2vec::Model2Vec;
use super::openai::{OpenAi, Options};
use super::*;

/// What an endpoint answers: status line and headers, and a body; `None` for silence.
type Reply = Option<(String, String)>;

/// An endpoint on a port of its own, which answers each request as `reply` says.
struct Endpoint {
    url: String,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Endpoint {
    async fn new(reply: impl Fn(usize, &Value) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let seen = requests.clone();
        let (count, reply) = (Arc::new(AtomicUsize::new(0)), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (seen, count, reply) = (seen.clone(), count.clone(), reply.clone());
                tokio::spawn(async move {
                    let mut bytes = Vec::new();
                    let (head, body) = loop {
                        let mut part = [0; 4096];
                        let read = socket.read(&mut part).await.unwrap_or(0);
                        if read == 0 {
                            return;
                        }
                        bytes.extend_from_slice(&part[..read]);
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                        let length = head.to_lowercase();
                        let length = length.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
                        if body.len() >= length.parse().unwrap() {
                            break (head.to_owned(), serde_json::from_str::<Value>(body).unwrap());
                        }
                    };
                    seen.lock().unwrap().push((head, body.clone()));
                    match reply(count.fetch_add(1, Ordering::SeqCst), &body) {
                        None => std::future::pending().await,
                        Some((head, body)) => {
                            let answer = format!(
                                "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                                body.len()
                            );
                            socket.write_all(answer.as_bytes()).await.unwrap();
                        }
                    }
                });
            }
        });
        Self { url, requests }
    }

    fn asked(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    fn provider(&self, change: impl FnOnce(&mut Options)) -> Embedding {
        let mut options = Options {
            url: self.url.clone(),
            model: "tiny".into(),
            key: Some("sk-hunter2".into()),
            dimensions: None,
            timeout: Duration::from_secs(20),
            retries: 3,
            backoff: Duration::from_millis(1),
        };
        change(&mut options);
        Embedding::new(Arc::new(OpenAi::new(options).unwrap()), 2, None)
    }
}

fn ok(body: Value) -> Reply {
    Some(("200 OK".into(), body.to_string()))
}

fn status(line: &str) -> Reply {
    Some((line.into(), "{\"error\":{\"message\":\"key sk-hunter2, text secret\",\"code\":\"some_code\"}}".into()))
}

/// A vector that says how long each text is, in the wrong order.
fn lengths(request: &Value) -> Reply {
    let texts = request["input"].as_array().unwrap();
    let items = texts.iter().enumerate().map(|(index, text)| {
        json!({ "object": "embedding", "index": index, "embedding": [text.as_str().unwrap().len(), 1.0] })
    });
    ok(json!({ "object": "list", "data": items.rev().collect::<Vec<_>>(), "model": "tiny", "usage": {} }))
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// What is said when asking fails; never a text, never a key.
async fn fails(provider: &Embedding, patience: Patience) -> String {
    let error = provider.many(&texts(&["secret", "words"]), 4, patience).await.unwrap_err().to_string();
    for hidden in ["secret", "hunter2"] {
        assert!(!error.contains(hidden), "{error}");
    }
    error
}

#[tokio::test]
async fn texts_are_sent_in_batches_and_vectors_come_back_in_their_order() {
    let endpoint = Endpoint::new(|_, request| lengths(request)).await;
    let provider = endpoint.provider(|options| options.dimensions = Some(2));
    let vectors = provider.many(&texts(&["a", "bbb", "cc", "dddd", "e"]), 8, Patience::Asking).await.unwrap();
    let first: Vec<f32> = vectors.iter().map(|vector| vector.as_ref().unwrap()[0]).collect();
    assert_eq!(first, [1.0, 3.0, 2.0, 4.0, 1.0]);
    let requests = endpoint.requests.lock().unwrap().clone();
    let sizes: Vec<usize> = requests.iter().map(|(_, body)| body["input"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    let (head, body) = &requests[0];
    assert!(head.starts_with("POST /v1/embeddings HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains("authorization: bearer sk-hunter2"), "{head}");
    assert_eq!(
        (&body["model"], &body["dimensions"], &body["encoding_format"]),
        (&json!("tiny"), &json!(2), &json!("float"))
    );
}

#[tokio::test]
async fn an_endpoint_that_fails_at_first_is_asked_again() {
    let endpoint = Endpoint::new(|at, request| match at {
        0 => status("503 Service Unavailable"),
        1 => status("429 Too Many Requests\r\nretry-after: 0"),
        2 => Some(("200 OK\r\ncontent-length: 900".into(), "{".into())),
        _ => lengths(request),
    })
    .await;
    let provider = endpoint.provider(|_| ());
    assert_eq!(provider.one("abc".into(), 4, Patience::Asking).await.unwrap(), Some(vec![3.0, 1.0]));
    assert_eq!(endpoint.asked(), 4);
}

#[tokio::test]
async fn an_endpoint_that_stays_down_is_given_up_with_its_reason() {
    let endpoint = Endpoint::new(|_, _| status("500 Internal Server Error")).await;
    let error = fails(&endpoint.provider(|options| options.retries = 2), Patience::Asking).await;
    assert!(error.contains("is not ready: status 500 (some_code)"), "{error}");
    assert_eq!(endpoint.asked(), 3);
    let error =
        fails(&endpoint.provider(|options| options.url = "http://127.0.0.1:1/v1".into()), Patience::Asking).await;
    assert_eq!(error, "The embedding provider http://127.0.0.1:1/v1/embeddings cannot be connected to");
}

#[tokio::test]
async fn who_is_asked_to_wait_long_does_not_let_a_person_wait() {
    let endpoint = Endpoint::new(|_, _| status("429 Too Many Requests\r\nretry-after: 3600")).await;
    let error = fails(&endpoint.provider(|_| ()), Patience::Asking).await;
    assert!(error.contains("status 429"), "{error}");
    assert_eq!(endpoint.asked(), 1);
    let date = "Wed, 21 Oct 2099 07:28:00 GMT";
    let endpoint = Endpoint::new(move |_, _| status(&format!("503 Busy\r\nretry-after: {date}"))).await;
    fails(&endpoint.provider(|_| ()), Patience::Asking).await;
    assert_eq!(endpoint.asked(), 1);
}

#[tokio::test]
async fn a_slow_endpoint_is_not_waited_for_longer_than_the_settings_say() {
    let endpoint = Endpoint::new(|_, _| None).await;
    let provider = endpoint.provider(|options| {
        options.timeout = Duration::from_millis(50);
        options.retries = 1;
    });
    let error = fails(&provider, Patience::Asking).await;
    assert!(error.contains("did not answer within 50ms (embedding.timeout)"), "{error}");
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn a_refusal_is_final_and_says_what_to_do() {
    for (line, expected) in [
        ("401 Unauthorized", "refuses: status 401 (some_code); set embedding.api_key_env"),
        ("404 Not Found", "check embedding.url"),
        ("307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/", "it redirects to"),
        ("400 Bad Request", "check embedding.model"),
    ] {
        let endpoint = Endpoint::new(move |_, _| status(line)).await;
        let error = fails(&endpoint.provider(|_| ()), Patience::Asking).await;
        assert!(error.contains(expected), "{error}");
        assert!(endpoint.asked() <= 2, "{line}");
    }
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut_until_it_fits() {
    let endpoint = Endpoint::new(|_, request| {
        let total: usize = request["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().len()).sum();
        if total > 1_000 { status("413 Payload Too Large") } else { lengths(request) }
    })
    .await;
    let long = "word ".repeat(700);
    let vectors = endpoint.provider(|_| ()).many(&[long, "short".into()], 4, Patience::Asking).await.unwrap();
    let first: Vec<f32> = vectors.into_iter().map(|vector| vector.unwrap()[0]).collect();
    assert_eq!(first, [875.0, 5.0]);
}

#[tokio::test]
async fn an_answer_that_is_no_vectors_is_refused() {
    let one = |embedding: &str| format!("{{\"data\":[{{\"embedding\":[1,2]}},{{\"embedding\":{embedding}}}]}}");
    for (body, expected) in [
        ("<html>secret</html>".to_owned(), "no JSON of embeddings (line 1, column 1)"),
        ("{\"data\":[{\"embedding\":[1,2]}]}".to_owned(), "1 vectors for 2 texts"),
        (one("[1,2,3]"), "vectors of 2 and of 3 dimensions"),
        (one("[]"), "a vector without numbers"),
        (one("[1,NaN]"), "no JSON of embeddings"),
        (one("[1,null]"), "no JSON of embeddings"),
        (one("[1,1e39]"), "an infinity at position 1"),
        (one("[1,2,3,4,5]"), "a vector of 5 dimensions, and the store keeps 4"),
        (
            "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[1]}]}".to_owned(),
            "an index that is missing",
        ),
        (
            "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":2,\"embedding\":[1]}]}".to_owned(),
            "an index that is missing",
        ),
    ] {
        let endpoint = Endpoint::new(move |_, _| Some(("200 OK".into(), body.clone()))).await;
        let error = fails(&endpoint.provider(|_| ()), Patience::Asking).await;
        assert!(error.contains(expected), "{error}");
        assert_eq!(endpoint.asked(), 1, "asking again would not help");
    }
}

#[tokio::test]
async fn nobody_is_asked_about_a_blank_text_and_a_vector_of_zeros_is_none() {
    let endpoint = Endpoint::new(|_, _| ok(json!({ "data": [{ "index": 0, "embedding": [0, 0] }] }))).await;
    let provider = endpoint.provider(|_| ());
    assert_eq!(provider.one(" \n".into(), 4, Patience::Asking).await, Err(EmbedError::Blank));
    assert_eq!(endpoint.asked(), 0);
    assert_eq!(provider.one("zero".into(), 4, Patience::Asking).await, Ok(None));
    let strict = Embedding { dimensions: Some(3), ..provider };
    let error = strict.one("x".into(), 4, Patience::Asking).await.unwrap_err().to_string();
    assert!(error.contains("a vector of 2 dimensions where embedding.dimensions says 3"), "{error}");
}

/// A tokenizer of a few words.
const TOKENIZER: &str = r###"{
    "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
    "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true },
    "pre_tokenizer": { "type": "BertPreTokenizer" }, "post_processor": null, "decoder": null,
    "model": {
        "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
        "vocab": { "[UNK]": 0, "stag": 1, "##ing": 2, "reset": 3, "sunday": 4 }
    }
}"###;

/// One row a token: [UNK], stag, ##ing, reset, sunday.
const ROWS: [[f32; 2]; 5] = [[9.0, 9.0], [1.0, 0.0], [0.5, 0.5], [0.0, 2.0], [-1.0, 0.5]];

fn write_model(folder: &Path, dtype: Dtype, config: &str, more: &[(&str, Dtype, Vec<u8>)]) {
    let bytes: Vec<u8> = ROWS
        .iter()
        .flatten()
        .flat_map(|value| match dtype {
            Dtype::F16 => half::f16::from_f32(*value).to_le_bytes().to_vec(),
            Dtype::BF16 => half::bf16::from_f32(*value).to_le_bytes().to_vec(),
            Dtype::F64 => f64::from(*value).to_le_bytes().to_vec(),
            _ => value.to_le_bytes().to_vec(),
        })
        .collect();
    let mut tensors = HashMap::from([("embeddings", TensorView::new(dtype, vec![5, 2], &bytes).unwrap())]);
    for (name, dtype, bytes) in more {
        let count = bytes.len() / if matches!(dtype, Dtype::F64 | Dtype::I64) { 8 } else { 4 };
        tensors.insert(name, TensorView::new(*dtype, vec![count], bytes).unwrap());
    }
    std::fs::write(folder.join("model.safetensors"), serialize(tensors, None).unwrap()).unwrap();
    std::fs::write(folder.join("tokenizer.json"), TOKENIZER).unwrap();
    std::fs::write(folder.join("config.json"), config).unwrap();
}

async fn model_says(folder: &Path, text: &str) -> Option<Vec<f32>> {
    let model = Model2Vec::load(folder, "").unwrap();
    Embedding::new(Arc::new(model), 8, None).one(text.to_owned(), 8, Patience::Asking).await.unwrap()
}

#[tokio::test]
async fn a_static_model_gives_the_mean_of_its_token_vectors() {
    let dir = tempfile::tempdir().unwrap();
    for dtype in [Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::F64] {
        write_model(dir.path(), dtype, r#"{"normalize": false}"#, &[]);
        // stag + ##ing + reset: (1 + 0.5 + 0, 0 + 0.5 + 2) / 3; what is unknown does not count.
        let found = model_says(dir.path(), "STAGING, reset!").await.unwrap();
        assert!((found[0] - 0.5).abs() < 1e-6 && (found[1] - 2.5 / 3.0).abs() < 1e-6, "{dtype:?} {found:?}");
        assert_eq!(model_says(dir.path(), "sunday").await.unwrap(), [-1.0, 0.5]);
        assert_eq!(model_says(dir.path(), "nothing known").await, None);
    }
    write_model(dir.path(), Dtype::F32, r#"{"normalize": true, "hidden_dim": 2}"#, &[]);
    let found = model_says(dir.path(), "staging reset").await.unwrap();
    let norm = (1.5_f32 * 1.5 + 2.5 * 2.5).sqrt();
    assert!((found[0] - 1.5 / norm).abs() < 1e-6 && (found[1] - 2.5 / norm).abs() < 1e-6, "{found:?}");
    assert_eq!(Model2Vec::load(dir.path(), "named").unwrap().model(), "named");
    let folder = dir.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(Model2Vec::load(dir.path(), " ").unwrap().model(), folder);
}

#[tokio::test]
async fn tokens_may_share_rows_and_weigh_differently() {
    let dir = tempfile::tempdir().unwrap();
    let mapping = [0_i64, 3, 3, 1, 4].iter().flat_map(|row| row.to_le_bytes()).collect();
    let weights = [1.0_f64, 2.0, 0.5, 1.0, 1.0].iter().flat_map(|weight| weight.to_le_bytes()).collect();
    let more = [("mapping", Dtype::I64, mapping), ("weights", Dtype::F64, weights)];
    write_model(dir.path(), Dtype::F32, r#"{"normalize": false}"#, &more);
    // stag: row 3 twice as heavy; ##ing: row 3 half as heavy; reset: row 1.
    let found = model_says(dir.path(), "staging reset").await.unwrap();
    assert!((found[0] - 1.0 / 3.0).abs() < 1e-6 && (found[1] - 5.0 / 3.0).abs() < 1e-6, "{found:?}");
}

#[test]
fn a_folder_that_holds_no_model_is_named_with_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = |expected: &str| {
        let error = Model2Vec::load(dir.path(), "").err().unwrap().to_string();
        assert!(error.contains(expected) && error.contains(&dir.path().display().to_string()), "{error}");
    };
    wrong("config.json cannot be used: there is no such file");
    write_model(dir.path(), Dtype::F32, "{", &[]);
    wrong("config.json cannot be used: it is not the JSON");
    write_model(dir.path(), Dtype::F32, "{}", &[]);
    std::fs::write(dir.path().join("tokenizer.json"), "{}").unwrap();
    wrong("tokenizer.json cannot be used: it is no tokenizer");
    write_model(dir.path(), Dtype::F32, "{}", &[]);
    std::fs::write(dir.path().join("model.safetensors"), "junk").unwrap();
    wrong("model.safetensors cannot be used: it is no safetensors file");
    write_model(dir.path(), Dtype::F32, "{}", &[("mapping", Dtype::I32, 7_i32.to_le_bytes().repeat(5))]);
    wrong("its mapping names row 7 of 5");
    write_model(dir.path(), Dtype::F32, "{}", &[("mapping", Dtype::I32, 1_i32.to_le_bytes().repeat(3))]);
    wrong("it has 3 tokens, the tokenizer 5");
}

/// A tokenizer of pieces with scores, as multilingual models have: its unknown token is a place, not a name.
const PIECES: &str = r#"{
    "version": "1.0", "truncation": { "direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0 },
    "padding": { "strategy": { "Fixed": 9 }, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 1, "pad_type_id": 0, "pad_token": "<pad>" },
    "added_tokens": [{ "id": 0, "content": "<unk>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true }],
    "normalizer": null, "post_processor": null, "decoder": null,
    "pre_tokenizer": { "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true },
    "model": {
        "type": "Unigram", "unk_id": 0, "byte_fallback": false,
        "vocab": [["<unk>", 0.0], ["▁stag", -1.5], ["ing", -2], ["▁reset", -1.25], ["▁sunday", -3.5]]
    }
}"#;

#[tokio::test]
async fn a_model_of_pieces_is_read_without_its_padding_and_cutting() {
    let dir = tempfile::tempdir().unwrap();
    write_model(dir.path(), Dtype::F32, r#"{"normalize": false}"#, &[]);
    std::fs::write(dir.path().join("tokenizer.json"), PIECES).unwrap();
    let found = model_says(dir.path(), "staging reset zzz").await.unwrap();
    assert!((found[0] - 0.5).abs() < 1e-6 && (found[1] - 2.5 / 3.0).abs() < 1e-6, "{found:?}");
    assert_eq!(model_says(dir.path(), "zzz").await, None);
}

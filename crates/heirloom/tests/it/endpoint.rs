//! An embedding endpoint made here: it speaks as OpenAI's does and knows which words mean the same.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// Words of one meaning each; a text's vector says how many it has of each. The last number is there always.
const MEANINGS: [&[&str]; 3] = [&["cat", "feline"], &["car", "automobile"], &["reset", "wiped"]];

/// What happens before an answer is given.
type Before = dyn Fn(&Asked) + Send + Sync;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) at: usize,
    pub(crate) model: String,
    pub(crate) texts: Vec<String>,
    pub(crate) key: Option<String>,
}

/// An endpoint on a port of its own.
pub(crate) struct Endpoint {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Endpoint {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    /// One that does something, such as waiting, before each answer.
    pub(crate) fn with(before: impl Fn(&Asked) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (seen, before): (_, Arc<Before>) = (asked.clone(), Arc::new(before));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, before) = (seen.clone(), before.clone());
                std::thread::spawn(move || answer(stream, &seen, &*before));
            }
        });
        Self { url, asked }
    }

    /// What was asked until now.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many texts were embedded until now, but for the one that asks for the width.
    pub(crate) fn texts(&self) -> usize {
        self.asked().iter().flat_map(|asked| &asked.texts).filter(|text| *text != "memory").count()
    }

    /// Settings by which the binary finds it.
    pub(crate) fn variables<'a>(&'a self, model: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("HEIRLOOM_EMBEDDING_PROVIDER", "openai-compatible"),
            ("HEIRLOOM_EMBEDDING_URL", &self.url),
            ("HEIRLOOM_EMBEDDING_MODEL", model),
        ]
    }
}

/// The vector of a text: a model named `next` has its numbers in another order. Asked for fewer, it ends sooner.
fn vector(model: &str, text: &str) -> Vec<f32> {
    let count = |words: &[&str]| text.split(|c: char| !c.is_alphabetic()).filter(|word| words.contains(word)).count();
    let mut vector: Vec<f32> = MEANINGS.iter().map(|words| count(words) as f32).collect();
    vector.push(0.1);
    if model == "next" {
        vector.reverse();
    }
    vector
}

fn answer(mut stream: TcpStream, seen: &Mutex<Vec<Asked>>, before: &Before) {
    let mut bytes = Vec::new();
    let (head, body): (String, Value) = loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).unwrap_or(0);
        if read == 0 {
            return;
        }
        bytes.extend_from_slice(&part[..read]);
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
        if body.len() >= length.parse().unwrap() {
            break (head.clone(), serde_json::from_str(body).unwrap());
        }
    };
    let model = body["model"].as_str().unwrap().to_owned();
    let dimensions = body["dimensions"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap();
    let key = head.split("authorization: bearer ").nth(1).map(|rest| rest.lines().next().unwrap().to_owned());
    let asked = {
        let mut seen = seen.lock().unwrap();
        let asked = Asked { at: seen.len(), model, texts, key };
        seen.push(asked.clone());
        asked
    };
    before(&asked);
    let data: Vec<Value> = asked
        .texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let mut vector = vector(&asked.model, text);
            vector.truncate(dimensions);
            json!({ "index": index, "embedding": vector })
        })
        .collect();
    let body = json!({ "data": data, "model": asked.model }).to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // Whoever asked may be gone by now.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

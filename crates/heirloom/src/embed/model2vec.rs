//! A static model in a folder, as Model2Vec keeps one: a tokenizer and a table with a vector a token. A text's vector is
//! the mean of its tokens', made in microseconds and without a network.
//!
//! Read with the tokenizer that the model was made with, in Rust alone. The table stays as it is on disk (float32,
//! float16, bfloat16, float64 or int8) and each number is widened when it is used. Tokens the tokenizer does not know are
//! skipped; a text of nothing else has no vector. Only the first [`MOST_TOKENS`] tokens count, as where the models come
//! from.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use tokenizers::Tokenizer;

use super::{EmbedError, Embedder, Patience, Result};

/// How many tokens of a text count.
pub const MOST_TOKENS: usize = 512;

/// Most characters of a text that are split into tokens: more than any 512 tokens have.
const MOST_CHARACTERS: usize = 32 * 1024;

const ACCEPTED: &str =
    "a folder with tokenizer.json, model.safetensors and config.json, as Model2Vec writes it, is accepted";

/// The model.
pub struct Model2Vec {
    name: String,
    place: String,
    parts: Arc<Parts>,
}

struct Parts {
    tokenizer: Tokenizer,
    unknown: Option<u32>,
    table: Table,
    /// The row of each token, where several share one.
    rows: Option<Vec<usize>>,
    /// What each token weighs, where they differ.
    weights: Option<Vec<f32>>,
    normalize: bool,
}

/// A table of numbers as it is on disk.
struct Table {
    bytes: Vec<u8>,
    dtype: Dtype,
    rows: usize,
    width: usize,
}

#[derive(Deserialize, Default)]
struct ModelConfig {
    normalize: Option<bool>,
}

impl Model2Vec {
    /// Reads a model; its name is `name`, or the folder's when that is empty.
    ///
    /// # Errors
    /// [`EmbedError::Model`] names the file and what is wrong with it.
    pub fn load(folder: &Path, name: &str) -> Result<Self> {
        let wrong = |file: &str, what: String| EmbedError::Model {
            path: folder.join(file).display().to_string(),
            what,
            accepted: ACCEPTED.to_owned(),
        };
        let read = |file: &str| {
            std::fs::read(folder.join(file)).map_err(|error| {
                wrong(
                    file,
                    match error.kind() {
                        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                        _ => error.to_string(),
                    },
                )
            })
        };
        let config: ModelConfig = serde_json::from_slice(&read("config.json")?)
            .map_err(|error| wrong("config.json", format!("it is not the JSON of a model ({error})")))?;
        let text = read("tokenizer.json")?;
        let mut tokenizer = Tokenizer::from_bytes(&text)
            .map_err(|error| wrong("tokenizer.json", format!("it is no tokenizer ({error})")))?;
        // What a training run left behind: padding would count as tokens, and cutting is ours.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| wrong("tokenizer.json", error.to_string()))?;
        let unknown = unknown_token(&text).and_then(|token| tokenizer.token_to_id(&token));
        let bytes = read("model.safetensors")?;
        let parts = (|| -> std::result::Result<Parts, String> {
            let tensors =
                SafeTensors::deserialize(&bytes).map_err(|error| format!("it is no safetensors file ({error})"))?;
            let table = Table::of(&tensors)?;
            let rows = vector_of(&tensors, "mapping")?
                .map(|rows| rows.into_iter().map(|row| row as usize).collect::<Vec<_>>());
            if let Some(row) = rows.iter().flatten().find(|row| **row >= table.rows) {
                return Err(format!("its mapping names row {row} of {}", table.rows));
            }
            let weights =
                vector_of(&tensors, "weights")?.map(|weights| weights.into_iter().map(|x| x as f32).collect());
            Ok(Parts { tokenizer, unknown, table, rows, weights, normalize: config.normalize.unwrap_or(true) })
        })()
        .map_err(|what| wrong("model.safetensors", what))?;
        let vocabulary = parts.tokenizer.get_vocab_size(true);
        let known = parts.rows.as_ref().map_or(parts.table.rows, Vec::len);
        if vocabulary > known {
            return Err(wrong("model.safetensors", format!("it has {known} tokens, the tokenizer {vocabulary}")));
        }
        let place = folder.display().to_string();
        let name = match name.trim() {
            "" => folder.file_name().map_or_else(|| place.clone(), |name| name.to_string_lossy().into_owned()),
            name => name.to_owned(),
        };
        Ok(Self { name, place, parts: Arc::new(parts) })
    }
}

#[async_trait]
impl Embedder for Model2Vec {
    fn model(&self) -> &str {
        &self.name
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn width(&self) -> Option<usize> {
        Some(self.parts.table.width)
    }

    async fn embed(&self, texts: &[String], _patience: Patience) -> Result<Vec<Option<Vec<f32>>>> {
        let (parts, texts) = (self.parts.clone(), texts.to_vec());
        let ended = || "the tokenizer cannot split a text".to_owned();
        let made = tokio::task::spawn_blocking(move || {
            texts.iter().map(|text| parts.embed(text)).collect::<std::result::Result<Vec<_>, String>>()
        });
        made.await.unwrap_or_else(|_| Err(ended())).map_err(|found| EmbedError::Answer {
            place: self.place.clone(),
            found,
            accepted: ACCEPTED.to_owned(),
        })
    }
}

impl Parts {
    fn embed(&self, text: &str) -> std::result::Result<Option<Vec<f32>>, String> {
        let end = text.char_indices().nth(MOST_CHARACTERS).map_or(text.len(), |(at, _)| at);
        // The tokenizer's own words may quote the text.
        let split = self.tokenizer.encode_fast(&text[..end], false);
        let split = split.map_err(|_| "the tokenizer cannot split a text".to_owned())?;
        let mut sum = vec![0_f32; self.table.width];
        let mut count = 0_u32;
        for token in split.get_ids().iter().filter(|token| Some(**token) != self.unknown).take(MOST_TOKENS) {
            let at = *token as usize;
            let row = self.rows.as_ref().map_or(Some(at), |rows| rows.get(at).copied());
            let Some(row) = row.filter(|row| *row < self.table.rows) else { continue };
            let weight = self.weights.as_ref().and_then(|weights| weights.get(at).copied()).unwrap_or(1.0);
            self.table.add(row, weight, &mut sum);
            count += 1;
        }
        if count == 0 {
            return Ok(None);
        }
        let mut scale = 1.0 / count as f32;
        if self.normalize {
            let norm = sum.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            // A sum of nothing stays nothing; whoever asked sees that it has no direction.
            scale = if norm > 0.0 { (1.0 / norm) as f32 } else { 0.0 };
        }
        for value in &mut sum {
            *value *= scale;
        }
        Ok(Some(sum))
    }
}

impl Table {
    fn of(tensors: &SafeTensors<'_>) -> std::result::Result<Self, String> {
        let view = tensors
            .tensor("embeddings")
            .or_else(|_| tensors.tensor("0"))
            .map_err(|_| "it holds no tensor `embeddings`".to_owned())?;
        let [rows, width] = view.shape() else {
            return Err(format!("its embeddings have {} dimensions instead of two", view.shape().len()));
        };
        let (rows, width, dtype) = (*rows, *width, view.dtype());
        if width == 0 || width > 16_000 || rows == 0 {
            return Err(format!("its embeddings are {rows} rows of {width} numbers"));
        }
        if size(dtype).is_none() {
            return Err(format!("its numbers are {dtype:?}; F32, F16, BF16, F64 or I8 are accepted"));
        }
        Ok(Self { bytes: view.data().to_vec(), dtype, rows, width })
    }

    /// Adds a row, times a weight.
    fn add(&self, row: usize, weight: f32, sum: &mut [f32]) {
        let wide = size(self.dtype).unwrap_or(1);
        let start = row * self.width * wide;
        let Some(bytes) = self.bytes.get(start..start + self.width * wide) else { return };
        for (number, sum) in bytes.chunks_exact(wide).zip(sum) {
            *sum += widened(self.dtype, number) as f32 * weight;
        }
    }
}

/// How many bytes a number of this kind takes; `None` for kinds no model uses.
fn size(dtype: Dtype) -> Option<usize> {
    match dtype {
        Dtype::I8 => Some(1),
        Dtype::F16 | Dtype::BF16 => Some(2),
        Dtype::F32 | Dtype::I32 => Some(4),
        Dtype::F64 | Dtype::I64 => Some(8),
        _ => None,
    }
}

/// A number from its bytes, which are as many as [`size`] says.
fn widened(dtype: Dtype, bytes: &[u8]) -> f64 {
    match (dtype, bytes) {
        (Dtype::I8, [a]) => f64::from(i8::from_le_bytes([*a])),
        (Dtype::F16, [a, b]) => f64::from(half::f16::from_le_bytes([*a, *b])),
        (Dtype::BF16, [a, b]) => f64::from(half::bf16::from_le_bytes([*a, *b])),
        (Dtype::F32, [a, b, c, d]) => f64::from(f32::from_le_bytes([*a, *b, *c, *d])),
        (Dtype::I32, [a, b, c, d]) => f64::from(i32::from_le_bytes([*a, *b, *c, *d])),
        (Dtype::F64, [a, b, c, d, e, f, g, h]) => f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        (Dtype::I64, [a, b, c, d, e, f, g, h]) => i64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as f64,
        _ => f64::NAN,
    }
}

/// A tensor with one number a token; `None` when the model has none.
fn vector_of(tensors: &SafeTensors<'_>, name: &str) -> std::result::Result<Option<Vec<f64>>, String> {
    let Ok(view) = tensors.tensor(name) else { return Ok(None) };
    let Some(wide) = size(view.dtype()) else {
        return Err(format!("the numbers of its {name} are {:?}", view.dtype()));
    };
    let numbers: Vec<f64> = view.data().chunks_exact(wide).map(|bytes| widened(view.dtype(), bytes)).collect();
    if name == "mapping" && numbers.iter().any(|row| *row < 0.0 || row.fract() != 0.0) {
        return Err("its mapping names a row that is no number of a row".to_owned());
    }
    Ok(Some(numbers))
}

/// The token that stands for what the tokenizer does not know: by name, or by its place in the vocabulary.
fn unknown_token(tokenizer: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(tokenizer).ok()?;
    let model = &value["model"];
    if let Some(token) = model["unk_token"].as_str() {
        return Some(token.to_owned());
    }
    let at = usize::try_from(model["unk_id"].as_u64()?).ok()?;
    model["vocab"][at][0].as_str().map(str::to_owned)
}

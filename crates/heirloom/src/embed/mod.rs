//! Vectors for texts: one trait, a provider a file.
//!
//! [`Embedding`] holds what every provider owes its caller: one vector a text, in the order of the texts, all of one
//! width, of finite numbers, no wider than the store; a text the model has no vector for gets none. No error carries a
//! text or a credential. Deliberately absent: any database. Whoever asks holds no connection meanwhile.

mod asking;
pub mod model2vec;
pub mod openai;

use std::sync::Arc;
use std::time::Duration;

pub use asking::Vectored;
use async_trait::async_trait;

use crate::config::{Config, EmbeddingProvider};

/// Why there is no vector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    /// It did not answer, or asked to come back later, as often as it was tried.
    #[error("The embedding provider {place} {reason}")]
    Unreachable {
        /// Its address.
        place: String,
        /// What happened.
        reason: String,
    },
    /// It answered that it will not.
    #[error("The embedding provider {place} refuses: {reason}; {accepted}")]
    Refused {
        /// Its address.
        place: String,
        /// The status and what it says about itself, without a text.
        reason: String,
        /// What to do.
        accepted: String,
    },
    /// What it answered is no vectors.
    #[error("The embedding provider {place} answers what cannot be used: {found}; {accepted}")]
    Answer {
        /// Its address or folder.
        place: String,
        /// What was found.
        found: String,
        /// What is accepted.
        accepted: String,
    },
    /// A static model cannot be loaded.
    #[error("The model {path} cannot be used: {what}; {accepted}")]
    Model {
        /// Its folder or file.
        path: String,
        /// What was found.
        what: String,
        /// What is accepted.
        accepted: String,
    },
    /// A setting stands for nothing.
    #[error("{setting}: {what}; {accepted}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What was found.
        what: String,
        /// What is accepted.
        accepted: String,
    },
    /// There is nothing to embed.
    #[error("A text to embed is blank; a text with words is accepted")]
    Blank,
}

/// A provider's result.
pub type Result<T> = std::result::Result<T, EmbedError>;

/// Who waits for the vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Somebody at a terminal: rather no vector than a long wait.
    Asking,
    /// A long run, which would rather wait than end.
    Bulk,
}

/// Who turns texts into vectors.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// The name that is kept with each vector.
    fn model(&self) -> &str;

    /// Where the vectors come from, for messages.
    fn place(&self) -> &str;

    /// How wide its vectors are, where that is known without asking.
    fn width(&self) -> Option<usize> {
        None
    }

    /// A vector for each text, in their order; `None` where the model has none. The texts are not blank.
    async fn embed(&self, texts: &[String], patience: Patience) -> Result<Vec<Option<Vec<f32>>>>;
}

/// A provider, and what holds for each.
#[derive(Clone)]
pub struct Embedding {
    inner: Arc<dyn Embedder>,
    batch: usize,
    dimensions: Option<usize>,
}

impl std::fmt::Debug for Embedding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedding").field("model", &self.model()).field("place", &self.place()).finish_non_exhaustive()
    }
}

impl Embedding {
    /// The provider of the settings; `None` when there is none. Loads a static model, asks no endpoint.
    ///
    /// # Errors
    /// [`EmbedError::Setting`] for a key that is not there, [`EmbedError::Model`] for a folder that holds no model.
    pub async fn of(config: &Config) -> Result<Option<Self>> {
        let settings = &config.embedding;
        let inner: Arc<dyn Embedder> = match settings.provider {
            EmbeddingProvider::None => return Ok(None),
            EmbeddingProvider::OpenaiCompatible => {
                let key = config.embedding_key.as_ref().map(|key| key.0.as_str());
                if key.is_none() && !settings.api_key_env.is_empty() {
                    return Err(EmbedError::Setting {
                        setting: "embedding.api_key_env",
                        what: format!("the variable {} is not set", settings.api_key_env),
                        accepted: "set it to the key of the endpoint, or leave the setting empty where none is needed"
                            .to_owned(),
                    });
                }
                let dimensions = (settings.dimensions > 0).then_some(settings.dimensions);
                Arc::new(openai::OpenAi::new(openai::Options {
                    url: settings.url.clone(),
                    model: settings.model.clone(),
                    key: key.map(str::to_owned),
                    dimensions,
                    timeout: Duration::from_secs(u64::try_from(settings.timeout).unwrap_or(u64::MAX)),
                    retries: settings.retries,
                    backoff: Duration::from_millis(250),
                })?)
            }
            EmbeddingProvider::Model2vec => {
                let (path, model) = (settings.path.clone(), settings.model.clone());
                let loaded = tokio::task::spawn_blocking(move || model2vec::Model2Vec::load(&path, &model)).await;
                Arc::new(loaded.map_err(|_| EmbedError::Model {
                    path: settings.path.display().to_string(),
                    what: "reading it ended in the middle".to_owned(),
                    accepted: "a folder with tokenizer.json, model.safetensors and config.json is accepted".to_owned(),
                })??)
            }
        };
        Ok(Some(Self::new(inner, settings.batch, (settings.dimensions > 0).then_some(settings.dimensions))))
    }

    /// A provider asked for `batch` texts at a time, each vector of `dimensions` numbers where that is given.
    pub fn new(inner: Arc<dyn Embedder>, batch: usize, dimensions: Option<usize>) -> Self {
        Self { inner, batch: batch.max(1), dimensions }
    }

    /// The same, with so many texts a request.
    #[must_use]
    pub fn in_batches_of(mut self, batch: usize) -> Self {
        self.batch = batch.max(1);
        self
    }

    /// The name that is kept with each vector.
    pub fn model(&self) -> &str {
        self.inner.model()
    }

    /// Where the vectors come from, for messages.
    pub fn place(&self) -> &str {
        self.inner.place()
    }

    /// How many texts a request carries.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// A vector for a text, at most `widest` numbers; `None` when the model has none for it.
    ///
    /// # Errors
    /// As [`Embedding::many`].
    pub async fn one(&self, text: String, widest: usize, patience: Patience) -> Result<Option<Vec<f32>>> {
        Ok(self.many(&[text], widest, patience).await?.pop().flatten())
    }

    /// A vector for each text, in their order, each at most `widest` numbers and all of one width.
    ///
    /// # Errors
    /// [`EmbedError::Blank`] before anybody is asked; whatever keeps the provider from answering;
    /// [`EmbedError::Answer`] when its answer is not what was asked for.
    pub async fn many(&self, texts: &[String], widest: usize, patience: Patience) -> Result<Vec<Option<Vec<f32>>>> {
        if texts.iter().any(|text| text.trim().is_empty()) {
            return Err(EmbedError::Blank);
        }
        let mut vectors = Vec::with_capacity(texts.len());
        for texts in texts.chunks(self.batch) {
            let mut made = self.inner.embed(texts, patience).await?;
            if made.len() != texts.len() {
                let found = format!("{} vectors for {} texts", made.len(), texts.len());
                return Err(self.answer(found, "one vector a text is accepted"));
            }
            vectors.append(&mut made);
        }
        for vector in &mut vectors {
            self.check(vector, widest)?;
        }
        let mut widths = vectors.iter().flatten().map(Vec::len);
        let first = widths.next();
        if let Some(other) = widths.find(|width| Some(*width) != first) {
            let found = format!("vectors of {} and of {other} dimensions", first.unwrap_or(0));
            return Err(self.answer(found, "vectors of one width are accepted"));
        }
        Ok(vectors)
    }

    /// How wide the provider's vectors are, where the settings or the model's own files say so.
    pub fn known_width(&self) -> Option<usize> {
        self.inner.width().or(self.dimensions)
    }

    /// How wide the provider's vectors are; asks it for one.
    ///
    /// # Errors
    /// As [`Embedding::many`].
    pub async fn width(&self, widest: usize) -> Result<usize> {
        if let Some(width) = self.inner.width() {
            return self.check(&mut Some(vec![1.0; width]), widest).map(|()| width);
        }
        match self.one("memory".to_owned(), widest, Patience::Bulk).await? {
            Some(vector) => Ok(vector.len()),
            None => {
                Err(self
                    .answer("a vector of zeros for a plain word".to_owned(), "a vector with a direction is accepted"))
            }
        }
    }

    /// Refuses vectors of another width than this provider's were before.
    ///
    /// # Errors
    /// [`EmbedError::Answer`].
    pub fn expect_width(&self, vectors: &[Option<Vec<f32>>], width: usize) -> Result<()> {
        match vectors.iter().flatten().find(|vector| vector.len() != width) {
            Some(other) => {
                let found = format!("a vector of {} dimensions after one of {width}", other.len());
                Err(self.answer(found, "vectors of one width are accepted"))
            }
            None => Ok(()),
        }
    }

    /// One vector: of the width that was asked for, of finite numbers. One without a direction is none.
    fn check(&self, vector: &mut Option<Vec<f32>>, widest: usize) -> Result<()> {
        let Some(values) = vector.as_deref() else { return Ok(()) };
        if values.is_empty() {
            return Err(self.answer("a vector without numbers".to_owned(), "a vector of numbers is accepted"));
        }
        if let Some(asked) = self.dimensions.filter(|asked| *asked != values.len()) {
            let found = format!("a vector of {} dimensions where embedding.dimensions says {asked}", values.len());
            return Err(self.answer(found, "set embedding.dimensions to what the model makes, or to 0"));
        }
        if values.len() > widest {
            let found = format!("a vector of {} dimensions, and the store keeps {widest}", values.len());
            return Err(self.answer(
                found,
                "use a model that makes at most as many, set embedding.dimensions where the model can shorten its \
                 vectors, or make a wider store (`heirloom up --dimension`)",
            ));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let what = if values[at].is_nan() { "NaN" } else { "an infinity" };
            return Err(self.answer(format!("{what} at position {at} of a vector"), "finite numbers are accepted"));
        }
        // As the store sees it: no direction, no cosine.
        let norm = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        if norm > 1e18 {
            return Err(self.answer(format!("a vector of length {norm:e}"), "a length up to 1e18 is accepted"));
        }
        if norm < 1e-18 {
            *vector = None;
        }
        Ok(())
    }

    fn answer(&self, found: String, accepted: &str) -> EmbedError {
        EmbedError::Answer { place: self.place().to_owned(), found, accepted: accepted.to_owned() }
    }
}

#[cfg(test)]
mod tests;

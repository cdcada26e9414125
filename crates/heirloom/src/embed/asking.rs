//! The vector of one text for somebody who waits: his own, the provider's, or none and the reason.

use heirloom_store::StoreError;

use super::Patience;
use crate::context::Context;

/// A vector to write or to ask with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectored {
    /// The vector.
    pub embedding: Option<Vec<f32>>,
    /// The model that made it.
    pub model: Option<String>,
    /// Why there is none although a provider is set.
    pub warning: Option<String>,
    /// Whether it is the provider's.
    is_made: bool,
}

impl Vectored {
    /// The vector that the caller brought, or else the provider's of this text, at most `widest` numbers. A provider that
    /// fails is no error here: its reason is kept as a warning. No connection is held meanwhile.
    pub async fn of(
        context: &Context,
        widest: usize,
        given: Option<Vec<f32>>,
        model: Option<String>,
        text: Option<String>,
    ) -> Self {
        // A model without a vector is for the store to refuse.
        if given.is_some() || model.is_some() {
            return Self { embedding: given, model, ..Self::default() };
        }
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Self::default() };
        let made = match context.embedding().await {
            Ok(None) => return Self::default(),
            Ok(Some(provider)) => {
                provider.one(text, widest, Patience::Asking).await.map(|vector| (vector, provider.model().to_owned()))
            }
            Err(error) => Err(error),
        };
        match made {
            Ok((Some(vector), model)) => {
                Self { embedding: Some(vector), model: Some(model), warning: None, is_made: true }
            }
            Ok((None, model)) => {
                Self { warning: Some(format!("The model {model} knows no word of the text")), ..Self::default() }
            }
            Err(error) => Self { warning: Some(error.to_string()), ..Self::default() },
        }
    }

    /// Does without the provider's vector where the store refused it, because the model had vectors of another width until
    /// now: that costs the vector and not what was asked. `false` for any other error, and for a caller's own vector.
    pub fn does_without(&mut self, error: &StoreError) -> bool {
        let StoreError::Invalid { field: "embedding", found, accepted } = error else { return false };
        if !std::mem::take(&mut self.is_made) {
            return false;
        }
        self.embedding = None;
        let model = self.model.take().unwrap_or_default();
        self.warning =
            Some(format!("The model {model} makes vectors of {found}; accepted are {accepted} (see heirloom reembed)"));
        true
    }
}

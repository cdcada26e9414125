//! The vector of one text for somebody who waits: his own, the provider's, or none and the reason.

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
            return Self { embedding: given, model, warning: None };
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
            Ok((Some(vector), model)) => Self { embedding: Some(vector), model: Some(model), warning: None },
            Ok((None, model)) => {
                Self { warning: Some(format!("The model {model} knows no word of the text")), ..Self::default() }
            }
            Err(error) => Self { warning: Some(error.to_string()), ..Self::default() },
        }
    }
}

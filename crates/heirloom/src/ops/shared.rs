//! What several operations on memories share: whose memories a call may see, and values given as JSON text.

use std::str::FromStr;

use heirloom_store::Scope;
use heirloom_store::redact::Findings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::Context;
use crate::error::{Error, Result};

/// The namespaces of a call: those it names, else the caller's own. There is no "all": nothing crosses a namespace but
/// an explicit list.
pub(super) fn scope<'a>(context: &Context, asked: impl IntoIterator<Item = &'a String>) -> Result<Scope> {
    context.caller().scope(asked)
}

/// The one namespace a write goes to.
pub(super) fn one_namespace(context: &Context, asked: Option<&String>) -> Result<String> {
    match (asked, context.caller().own().as_slice()) {
        (Some(namespace), _) => Ok(namespace.clone()),
        (None, [namespace]) => Ok(namespace.clone()),
        (None, others) => Err(Error::Argument {
            argument: "--namespace",
            what: format!("none was given, and the caller has {}", others.len()),
            accepted: "give one such as --namespace team:research".to_owned(),
        }),
    }
}

/// A JSON value given as text on the command line.
pub(super) fn json(text: &str) -> std::result::Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("this is not JSON ({error})"))
}

/// An embedding; on the command line a JSON array of numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Embedding(pub Vec<f32>);

impl FromStr for Embedding {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("this is not a JSON array of numbers ({error})"))
    }
}

/// Each line seven columns in: below a score or a date.
pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("       {line}")).collect::<Vec<_>>().join("\n")
}

/// What the store answers, and what became of the vector.
#[derive(Debug, Serialize)]
pub(super) struct Answer<'a, T> {
    #[serde(flatten)]
    pub(super) done: &'a T,
    /// Whether a vector was written with the text; absent when no text was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) embedded: Option<bool>,
    /// What the hits were ranked by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ranked_by: Option<&'static str>,
    /// Why there is no vector although a provider is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) warning: Option<String>,
}

/// The lines for a person when a text was written without its vector.
pub(super) fn not_embedded(warning: Option<&str>) -> String {
    let Some(warning) = warning else { return String::new() };
    let why = wrapped(&format!("No vector was written with it; words find it. {warning}."));
    format!("{why}Next, once that is mended: `heirloom reembed`\n")
}

/// The line for a person when credentials were taken out; empty when there were none.
pub(super) fn redacted(found: &Findings) -> String {
    if found.is_empty() {
        return String::new();
    }
    let counted: Vec<String> = found.iter().map(|(label, count)| format!("{count} {label}")).collect();
    wrapped(&format!("Redacted before it was written: {}", counted.join(", ")))
}

/// A paragraph for a terminal of 80 columns.
pub(super) fn wrapped(paragraph: &str) -> String {
    let mut text = crate::text::wrap(paragraph, 80).join("\n");
    text.push('\n');
    text
}

//! What can be seen in a plugin. Its contract reads by search alone: a hundred memories an answer, no next page, none by its
//! id. So a namespace is listed, and where it holds more than that each memory is searched for by its own words.
//!
//! An answer that is not full shows everything that it could; only from such a one follows that something is away. And only
//! from plain words: what a search makes of signs, marks and other languages is the plugin's own.
//!
//! Deliberately absent: searches by vector, which may pass over what is there.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{Seen, Shown, Surface, Wanted};
use super::carry::is_nothing;
use super::client::{Answer, Client, Refusal};
use super::{side_by_side, words};
use crate::canon::FIELDS;
use crate::error::Result;
use crate::verify::{canonical_json, enclose};

/// Most memories of an answer.
pub(super) const PAGE: usize = 100;

/// Memories of a first, cheap answer.
const FEW: usize = 10;

/// A memory as a search shows it.
#[derive(Debug, Deserialize)]
struct Told {
    id: String,
    namespace: String,
    content: String,
    kind: String,
    source: String,
    expires_at: Option<String>,
    propagation: Option<Value>,
    pin: Option<bool>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(deserialize_with = "or_none")]
    memories: Vec<Told>,
}

/// The platform's own plugin says null where it found nothing.
fn or_none<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Vec<Told>, D::Error> {
    Ok(Option::<Vec<Told>>::deserialize(from)?.unwrap_or_default())
}

/// What an answer shows; nothing, where it is refused.
#[derive(Default)]
pub(super) struct Page {
    pub(super) rows: Vec<Shown>,
    /// Whether there is nothing beyond it.
    pub(super) is_whole: bool,
}

/// What became of a memory that was looked for.
pub(super) enum Sight {
    /// Here it is.
    There(Box<Shown>),
    /// The whole namespace was shown, without it.
    Away,
    /// All that has its words was shown, without it.
    Wordless,
    /// The answers were full of others.
    Hidden,
}

/// Looks into a plugin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eye<'a> {
    pub(super) client: &'a Client,
    pub(super) surface: &'a Surface,
}

impl Eye<'_> {
    /// The memories of a namespace, as far as one answer shows them.
    pub(super) async fn list(&self, namespace: &str) -> Result<std::result::Result<Page, Refusal>> {
        self.page(namespace, None, PAGE).await
    }

    /// Memories with these words, where there are any. Where they are too long for one answer, fewer are asked for.
    async fn page(
        &self,
        namespace: &str,
        query: Option<&str>,
        most: usize,
    ) -> Result<std::result::Result<Page, Refusal>> {
        let mut limit = most;
        loop {
            let mut question = json!({ "namespaces": [namespace], "limit": limit });
            if let Some(query) = query {
                question["query"] = json!(query);
            }
            let read = |body: &[u8]| serde_json::from_slice::<Found>(body).ok();
            match self.client.search(&question, read).await? {
                Answer::Yes(found) => {
                    let is_whole = found.memories.len() < limit;
                    let rows = found.memories.iter().filter_map(|told| self.shown(told)).collect();
                    return Ok(Ok(Page { rows, is_whole }));
                }
                Answer::No(refusal) => return Ok(Err(refusal)),
                Answer::TooLarge if limit > 1 => limit = (limit / FEW).max(1),
                Answer::TooLarge => return Ok(Ok(Page { rows: Vec::new(), is_whole: false })),
            }
        }
    }

    /// Looks for a memory that should say this. `listed` spares the list of a namespace that is known to show a part of itself.
    pub(super) async fn find(&self, id: Uuid, namespace: &str, content: &str, listed: bool) -> Result<Sight> {
        let there = |page: &mut Page| page.rows.iter().position(|row| row.id == id).map(|at| page.rows.swap_remove(at));
        if !listed && let Ok(mut page) = self.list(namespace).await? {
            match there(&mut page) {
                Some(row) => return Ok(Sight::There(Box::new(row))),
                None if page.is_whole => return Ok(Sight::Away),
                None => {}
            }
        }
        if !self.surface.searches_words() {
            return Ok(Sight::Hidden);
        }
        let mut all_shown = false;
        for question in words::questions(content) {
            for most in [FEW, PAGE] {
                let Ok(mut page) = self.page(namespace, Some(question.text), most).await? else { break };
                if let Some(row) = there(&mut page) {
                    return Ok(Sight::There(Box::new(row)));
                }
                if page.is_whole {
                    all_shown |= question.is_plain;
                    break;
                }
            }
        }
        Ok(if all_shown { Sight::Wordless } else { Sight::Hidden })
    }

    /// The rows that are wanted, as far as they can be seen.
    pub(super) async fn rows(&self, wanted: &[Wanted<'_>], lanes: usize) -> Result<Seen> {
        let mut homes: HashMap<&str, Vec<&Wanted<'_>>> = HashMap::new();
        for one in wanted {
            if let Some((namespace, _)) = one.place {
                homes.entry(namespace).or_default().push(one);
            }
        }
        let names: Vec<&str> = homes.keys().copied().collect();
        // Also a row that was set aside, and is there.
        let ids: &HashSet<Uuid> = &wanted.iter().map(|one| one.id).collect();
        let list = async |name: &str| {
            let page = self.list(name).await?.unwrap_or_default();
            let rows = page.rows.into_iter().filter(|row| ids.contains(&row.id)).collect();
            Ok(Page { rows, ..page })
        };
        let mut lists = Vec::with_capacity(names.len());
        for name in &names {
            lists.push(list(name));
        }
        let listed = side_by_side(lanes, lists).await?;
        let (mut seen, mut left): (Seen, Vec<&Wanted<'_>>) = Default::default();
        for (name, page) in names.into_iter().zip(listed) {
            let there: HashSet<Uuid> = page.rows.iter().map(|row| row.id).collect();
            seen.rows.extend(page.rows);
            if !page.is_whole {
                left.extend(homes.remove(name).into_iter().flatten().filter(|one| !there.contains(&one.id)));
            }
        }
        let searches = left
            .iter()
            .filter_map(|one| one.place.map(|(namespace, content)| self.find(one.id, namespace, content, true)))
            .collect();
        let found = side_by_side(lanes, searches).await?;
        for (one, sight) in left.iter().zip(found) {
            match sight {
                Sight::There(row) => seen.rows.push(*row),
                Sight::Away | Sight::Wordless => {}
                Sight::Hidden => drop(seen.unseen.insert(one.id)),
            }
        }
        Ok(seen)
    }

    /// A memory, framed; `None` for one whose id cannot be one of ours.
    fn shown(&self, told: &Told) -> Option<Shown> {
        let id = Uuid::parse_str(&told.id).ok()?;
        let frame = |(number, field): (u8, &str)| {
            if !self.surface.shows(field) {
                return Vec::new();
            }
            let body = match field {
                "namespace" => Some(told.namespace.as_bytes().to_vec()),
                "kind" => Some(told.kind.as_bytes().to_vec()),
                "source" => Some(told.source.as_bytes().to_vec()),
                "content" => Some(told.content.as_bytes().to_vec()),
                "pin" => Some(vec![u8::from(told.pin.unwrap_or(false))]),
                "expires_at" => told.expires_at.as_deref().map(moment),
                "propagation" => told
                    .propagation
                    .as_ref()
                    .filter(|json| !is_nothing(json))
                    .map(|json| canonical_json(json.to_string().as_bytes())),
                _ => None,
            };
            enclose(number, body.as_deref()).unwrap_or_default()
        };
        let frames = (0_u8..).zip(FIELDS).map(frame).collect();
        Some(Shown { id, namespace: told.namespace.clone(), frames, superseded: false })
    }
}

/// A time as the contract writes it, in whatever zone; one that is none equals nothing, and has a place.
fn moment(text: &str) -> Vec<u8> {
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => at.as_microsecond().to_be_bytes().to_vec(),
        Err(_) => [b"?", text.as_bytes()].concat(),
    }
}

//! `heirloom list`: what a namespace holds, page by page, newest first.

use clap::Args;
use heirloom_store::{List as Request, Moment, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, pages, shared};
use crate::text::{count, excerpt};

/// Arguments of `heirloom list`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only in this namespace (can be repeated)
    #[arg(long = "namespace", short, value_name = "NAMESPACE")]
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Only of this kind (can be repeated)
    #[arg(long = "kind", value_name = "KIND")]
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Only in this state (can be repeated)
    #[arg(long = "state", value_name = "STATE")]
    #[serde(default)]
    pub states: Vec<String>,
    /// Only from this source (can be repeated)
    #[arg(long = "source", value_name = "SOURCE")]
    #[serde(default)]
    pub sources: Vec<String>,
    /// Only pinned ones (true), or only others (false)
    #[arg(long, value_name = "BOOL")]
    pub pinned: Option<bool>,
    /// Only expired ones (true), or only others (false)
    #[arg(long, value_name = "BOOL")]
    pub expired: Option<bool>,
    /// Only of this role
    #[arg(long)]
    pub role: Option<String>,
    /// Only of this topic
    #[arg(long)]
    pub topic: Option<String>,
    /// Only with this word among the `tags` of its metadata
    #[arg(long)]
    pub tag: Option<String>,
    /// Only lessons that nobody verified (true), or only others (false)
    #[arg(long, value_name = "BOOL")]
    pub unverified: Option<bool>,
    /// Only what was handed down from another store (true), or only others (false)
    #[arg(long, value_name = "BOOL")]
    pub migrated: Option<bool>,
    /// Only what expires before this instant, what has expired already among it
    #[arg(long, value_name = "TIME")]
    pub expiring_before: Option<Moment>,
    /// Only with this text somewhere in the content, whatever its case
    #[arg(long)]
    pub text: Option<String>,
    /// Count what is on all pages, too
    #[arg(long)]
    #[serde(default)]
    pub total: bool,
    /// Give the cursor after each N memories of all pages, too, 10 to 1,000
    #[arg(long, value_name = "N")]
    pub marks: Option<i64>,
    /// How many at most, 1 to 1,000 [default: 50]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Where the page before ended: its `next`
    #[arg(long)]
    pub cursor: Option<String>,
}

impl Operation for List {
    const NAME: &'static str = "list";
    const SUMMARY: &'static str = "List memories, newest first";
    const DOORS: Doors = Doors::ALL;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, &self.namespaces)?;
        let cursors = pages::cursors(context, &self)?;
        let place = cursors.take(self.cursor.as_deref())?.map(str::to_owned);
        let request = Request {
            namespaces: Vec::new(),
            kinds: self.kinds,
            states: self.states,
            sources: self.sources,
            pinned: self.pinned,
            expired: self.expired,
            role: self.role,
            topic: self.topic,
            tag: self.tag,
            unverified: self.unverified,
            migrated: self.migrated,
            expiring_before: self.expiring_before,
            text: self.text,
            total: self.total,
            marks: self.marks,
            limit: self.limit,
            cursor: place,
            ..Request::default()
        };
        let mut page = context.store().await?.list(&scope, &request).await?;
        for place in page.next.iter_mut().chain(page.marks.iter_mut().flatten()) {
            *place = cursors.give(place);
        }
        let mut text: String = page.items.iter().map(item).collect();
        if page.items.is_empty() {
            text.push_str(&format!("There is nothing in {scope}.\n"));
        }
        if let Some(total) = page.total {
            text.push_str(&format!("{} in all\n", count(total.unsigned_abs())));
        }
        text.push_str(&pages::more(page.next.as_deref()));
        Output::new(&page, text)
    }
}

fn item(record: &Record) -> String {
    let when = record.created_at.map_or_else(|| "no time".to_owned(), |at| at.to_string().chars().take(10).collect());
    let mut head = format!("{when}  {}  {}  {}", record.kind, record.state, record.namespace);
    if record.expired {
        head.push_str("  expired");
    }
    format!("{head}\n{}\n       {}\n\n", shared::indented(&excerpt(&record.content, 73, 1)), record.id)
}

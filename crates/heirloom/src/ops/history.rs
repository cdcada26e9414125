//! `heirloom history`: what happened to a memory, whether it is still there or not.

use clap::Args;
use heirloom_store::{History as Found, PastOf, PastPlace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cipher::Cipher;
use crate::context::Context;
use crate::cursor;
use crate::error::Result;
use crate::ops::{Doors, Operation, Output, pages, shared};
use crate::text::{Table, line};

/// Arguments of `heirloom history`.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The memory's id
    pub id: Uuid,
    /// The namespace it lives in, or lived in
    #[arg(long, short)]
    pub namespace: Option<String>,
    /// How many revisions, steps and acts of each at most, 1 to 1,000 [default: 200]
    #[arg(long, value_name = "N")]
    pub limit: Option<i64>,
    /// Where the page before ended: its `next`
    #[arg(long)]
    pub cursor: Option<String>,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    found: &'a Found,
    /// The cursor of the page that follows; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Operation for History {
    const NAME: &'static str = "history";
    const SUMMARY: &'static str = "Show what happened to a memory";
    const DETAIL: &'static str =
        "What it said before, its steps from state to state, who did what. Of a forgotten one: when and by whom.";
    const DOORS: Doors = Doors::PEOPLE;
    const READ_ONLY: bool = true;

    async fn run(self, context: &Context) -> Result<Output> {
        let scope = shared::scope(context, self.namespace.as_ref())?;
        let cursors = pages::cursors(context, &self)?;
        let store = context.store().await?;
        let numbers = Numbers::of(store.meta().store_id);
        let after = match cursors.take(self.cursor.as_deref())? {
            Some(place) => numbers.open(place).ok_or_else(|| cursor::refused("no page ended there"))?,
            None => PastPlace::default(),
        };
        let request = PastOf { id: self.id, namespace: None, limit: self.limit, after };
        let found = store.history(&scope, &request).await?;
        let next = found.next.map(|place| cursors.give(&numbers.seal(place)));
        let text = text(&found) + &pages::more(next.as_deref());
        Output::new(&Told { found: &found, next }, text)
    }
}

/// Places of a past as they leave: the numbers of steps and acts count those of all tenants together.
struct Numbers {
    steps: Cipher,
    acts: Cipher,
}

impl Numbers {
    fn of(store: Uuid) -> Self {
        Self { steps: Cipher::of_steps(store), acts: Cipher::of_events(store) }
    }

    fn seal(&self, place: PastPlace) -> String {
        let sealed = |cipher: &Cipher, number: Option<i64>| {
            number.map_or_else(String::new, |number| format!("{:016x}", cipher.seal(number.cast_unsigned())))
        };
        let version = place.version.map_or_else(String::new, |version| version.to_string());
        format!("{version}~{}~{}", sealed(&self.steps, place.step), sealed(&self.acts, place.act))
    }

    fn open(&self, place: &str) -> Option<PastPlace> {
        let mut parts = place.split('~');
        let version = parts.next()?;
        let version = if version.is_empty() { None } else { Some(version.parse().ok()?) };
        let mut opened = |cipher: &Cipher| match parts.next()? {
            "" => Some(None),
            sealed => Some(Some(cipher.open(u64::from_str_radix(sealed, 16).ok()?)?)),
        };
        Some(PastPlace { version, step: opened(&self.steps)?, act: opened(&self.acts)? })
    }
}

fn text(found: &Found) -> String {
    let mut table = Table::new(&["when", "what", "by"]);
    for act in found.activity.iter().rev() {
        let step = act
            .details
            .as_ref()
            .and_then(|details| Some((details.get("from")?.as_str()?, details.get("to")?.as_str()?)));
        let what = match step {
            Some((from, to)) => format!("{} {from} → {to}", act.action),
            None => act.action.clone(),
        };
        table.row([act.at.to_string(), what, line(&act.actor, 40)]);
    }
    let mut text = format!("{} in {}\n\n{}", found.id, found.namespace, table.render());
    if let Some(gone) = &found.forgotten {
        let reason = gone.reason.as_deref().map(|reason| format!(": {}", line(reason, 200))).unwrap_or_default();
        text.push_str(&format!("\nForgotten at {} by {}{reason}\n", gone.at, line(&gone.actor, 40)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_and_tells_no_number() {
        let numbers = Numbers::of(Uuid::from_u128(7));
        for place in [
            PastPlace::default(),
            PastPlace { version: Some(3), step: Some(4_711), act: Some(99_999) },
            PastPlace { version: None, step: None, act: Some(1) },
        ] {
            let sealed = numbers.seal(place);
            assert_eq!(numbers.open(&sealed), Some(place), "{sealed}");
            assert!(!sealed.contains("4711") && !sealed.contains("99999"), "{sealed}");
        }
        for bad in ["", "~", "x~~", "1~x~", "1~~ffffffffffffffffff"] {
            assert_eq!(numbers.open(bad), None, "{bad:?}");
        }
    }
}

//! Pages of lists that are read whole: tokens, workspaces, namespaces, entries of the audit. Lists of
//! memories and of rejects have pages of their own in the database.
//!
//! A cursor is the name of the last item that was shown, of a list whose order does not change, and good for the same
//! question of the same caller alone ([`crate::cursor`]).

use crate::context::Context;
use crate::cursor::{self, Cursors};
use crate::error::{Error, Result};
use crate::ops::Operation;

/// Most items of one page.
const MOST: i64 = 10_000;

/// Fields that say where a page begins, how long it is and what is told beside it: they may differ from page to page.
const OF_A_PAGE: [&str; 4] = ["cursor", "limit", "marks", "total"];

/// A page and the cursor of the one that follows.
pub(super) type Page<T> = (Vec<T>, Option<String>);

/// The cursors of an operation as this caller asks it.
///
/// # Errors
/// [`Error::Bug`] when the operation has no JSON form.
pub(super) fn cursors<T: Operation>(context: &Context, operation: &T) -> Result<Cursors> {
    let asked = serde_json::to_value(operation);
    let mut asked = asked.map_err(|error| Error::Bug(format!("arguments have no JSON: {error}")))?;
    if let Some(fields) = asked.as_object_mut() {
        fields.retain(|name, _| !OF_A_PAGE.contains(&name.as_str()));
    }
    Ok(Cursors::of(context.caller(), T::NAME, &asked))
}

/// The items after the one that `cursor` names which `shown` lets pass, at most `limit` of them; all without a limit.
///
/// # Errors
/// [`Error::Argument`] for a limit below 1 or above 10,000, and for a cursor of another list or of an item that is gone.
pub(super) fn page<T>(
    items: Vec<T>,
    name: impl Fn(&T) -> String,
    shown: impl Fn(&T) -> bool,
    limit: Option<i64>,
    cursors: &Cursors,
    cursor: Option<&str>,
) -> Result<Page<T>> {
    let most = match limit {
        None => usize::MAX,
        Some(limit) => usize::try_from(limit).ok().filter(|_| (1..=MOST).contains(&limit)).ok_or(Error::Argument {
            argument: "--limit",
            what: format!("{limit} was found"),
            accepted: format!("1 to {MOST} is accepted; without it all are shown"),
        })?,
    };
    let mut items = items.into_iter();
    if let Some(place) = cursors.take(cursor)?
        && !items.any(|item| name(&item) == place)
    {
        return Err(gone());
    }
    let mut page: Vec<T> = items.filter(shown).take(most.saturating_add(1)).collect();
    let more = page.len() > most;
    page.truncate(most);
    let next = page.last().filter(|_| more).map(|last| cursors.give(&name(last)));
    Ok((page, next))
}

/// What is said of a cursor that names nothing any more.
fn gone() -> Error {
    cursor::refused("what the page before ended with is gone")
}

/// The line for a person that says how to go on; empty on the last page.
pub(super) fn more(next: Option<&str>) -> String {
    next.map_or_else(String::new, |next| format!("More: --cursor {next}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Caller;
    use crate::config::CallerConfig;

    fn given() -> Cursors {
        let owner = Caller::Owner(CallerConfig { namespaces: Vec::new(), actor: String::new() });
        Cursors::of(&owner, "numbers", &serde_json::Value::Null)
    }

    fn names(limit: Option<i64>, cursor: Option<&str>) -> Result<Page<u32>> {
        page((1..=7).collect(), u32::to_string, |n| n % 2 == 1, limit, &given(), cursor)
    }

    #[test]
    fn pages_follow_each_other_and_end() {
        let all = |limit| {
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let (page, next) = names(Some(limit), cursor.as_deref()).expect("a page");
                found.extend(page);
                match next {
                    Some(next) => cursor = Some(next),
                    None => return found,
                }
            }
        };
        for limit in 1..=5 {
            assert_eq!(all(limit), [1, 3, 5, 7], "{limit}");
        }
        assert_eq!(names(None, None).expect("a page"), (vec![1, 3, 5, 7], None));
        assert_eq!(names(Some(4), None).expect("a page").1, None, "nothing follows");
        // What the cursor names need not be shown any more.
        assert_eq!(names(None, Some(&given().give("4"))).expect("a page").0, [5, 7]);
        let never = given().give("9");
        for (limit, cursor) in [
            (Some(0), None),
            (Some(-1), None),
            (Some(10_001), None),
            (None, Some(never.as_str())),
            (None, Some("4")),
            (None, Some("")),
        ] {
            assert!(matches!(names(limit, cursor), Err(Error::Argument { .. })), "{limit:?} {cursor:?}");
        }
    }
}

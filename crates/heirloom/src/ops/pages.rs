//! Pages of lists that are read whole: tokens, workspaces, namespaces, entries of the audit. Lists of
//! memories and of rejects have pages of their own in the database.
//!
//! A cursor is the name of the last item that was shown, of a list whose order does not change.

use crate::error::{Error, Result};

/// Most items of one page.
const MOST: i64 = 10_000;

/// A page and the cursor of the one that follows.
pub(super) type Page<T> = (Vec<T>, Option<String>);

/// The items after the one that `cursor` names which `shown` lets pass, at most `limit` of them; all without a limit.
///
/// # Errors
/// [`Error::Argument`] for a limit below 1 or above 10,000, and for a cursor that names nothing of the list.
pub(super) fn page<T>(
    items: Vec<T>,
    name: impl Fn(&T) -> String,
    shown: impl Fn(&T) -> bool,
    limit: Option<i64>,
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
    if let Some(cursor) = cursor
        && !items.any(|item| name(&item) == cursor)
    {
        return Err(no_such_cursor());
    }
    let mut page: Vec<T> = items.filter(shown).take(most.saturating_add(1)).collect();
    let more = page.len() > most;
    page.truncate(most);
    let next = page.last().filter(|_| more).map(name);
    Ok((page, next))
}

/// What is said of a cursor that names nothing.
pub(super) fn no_such_cursor() -> Error {
    Error::Argument {
        argument: "--cursor",
        what: "nothing of this list has this name; it may be gone".to_owned(),
        accepted: "the `next` of the page before; begin again without one".to_owned(),
    }
}

/// The line for a person that says how to go on; empty on the last page.
pub(super) fn more(next: Option<&str>) -> String {
    next.map_or_else(String::new, |next| format!("More: --cursor {next}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(limit: Option<i64>, cursor: Option<&str>) -> Result<Page<u32>> {
        page((1..=7).collect(), u32::to_string, |n| n % 2 == 1, limit, cursor)
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
        assert_eq!(names(None, Some("4")).expect("a page").0, [5, 7]);
        for (limit, cursor) in
            [(Some(0), None), (Some(-1), None), (Some(10_001), None), (None, Some("9")), (None, Some(""))]
        {
            assert!(matches!(names(limit, cursor), Err(Error::Argument { .. })), "{limit:?} {cursor:?}");
        }
    }
}

//! Roles that an archive speaks of and the server has no longer: who owned the table, who had grants on it, whom a policy
//! was for. They are looked for before anything is made again.
//!
//! The statements are those of `archive_ddl.sql`, so that their form is known, in archives of any age.

use std::collections::BTreeMap;

use deadpool_postgres::Transaction;

use super::archive::{Manifest, Statement};
use crate::error::{MigrateError, Result};
use crate::source::identifier;

const MISSING: &str = include_str!("../../sql/queries/retire_missing_roles.sql");

/// The phases of policies, of the owner, of what nobody granted, and of grants on the table and on columns.
const POLICY: i32 = 80;
const OWNER: i32 = 90;
const REVOKED: i32 = 91;
const GRANTED: [i32; 2] = [92, 93];

/// Takes out of a manifest what needs a role that is gone, where `without` names that role; gives back the statements that
/// are left out, or done without it.
///
/// # Errors
/// [`MigrateError::Refused`] when a role is gone that `without` does not name, or `without` names one that is there or that
/// the archive does not know.
pub(super) async fn leave_out(
    tx: &Transaction<'_>,
    manifest: &mut Manifest,
    without: &[String],
) -> Result<Vec<String>> {
    let mut known: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for statement in &manifest.statements {
        for role in roles(statement) {
            let what = known.entry(role).or_default();
            let had = had(statement.phase);
            if !what.contains(&had) {
                what.push(had);
            }
        }
    }
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    let rows = tx.query(MISSING, &[&names]).await?;
    let missing = rows.iter().map(|row| row.try_get(0)).collect::<std::result::Result<Vec<String>, _>>()?;
    if let Some(there) = without.iter().find(|name| !missing.contains(name)) {
        return Err(MigrateError::Refused {
            what: match known.contains_key(there) {
                true => format!("The role {} is there, so nothing of it has to be left out", identifier(there)),
                false => format!("The archive of {} does not know the role {}", manifest.table, identifier(there)),
            },
            cure: "--without-role takes a role that is gone since; nothing was changed".to_owned(),
        });
    }
    let open: Vec<&String> = missing.iter().filter(|name| !without.contains(name)).collect();
    if !open.is_empty() {
        let each = |name: &&String| format!("{}, {}", identifier(name), known[*name].join(" and "));
        let create: Vec<String> = open.iter().map(|name| format!("create role {}", identifier(name))).collect();
        let flags: Vec<String> = open.iter().map(|name| format!("--without-role {}", identifier(name))).collect();
        return Err(MigrateError::Refused {
            what: format!(
                "The archive of {} speaks of roles that are gone: {}",
                manifest.table,
                open.iter().map(each).collect::<Vec<_>>().join("; ")
            ),
            cure: format!(
                "make them again (`{}`), or leave out what they had with {}; nothing was changed",
                create.join("; "),
                flags.join(" ")
            ),
        });
    }
    let mut left_out = Vec::new();
    manifest.statements = std::mem::take(&mut manifest.statements)
        .into_iter()
        .filter_map(|statement| {
            let gone = roles(&statement).iter().any(|role| missing.contains(role));
            if gone {
                left_out.push(statement.sql.clone());
            }
            if gone { less(&statement, &missing) } else { Some(statement) }
        })
        .collect();
    Ok(left_out)
}

/// What a role of a statement of this phase had.
fn had(phase: i32) -> &'static str {
    match phase {
        POLICY => "whom a policy is for",
        OWNER | REVOKED => "who owned it",
        _ => "who had grants on it",
    }
}

/// A policy for whoever of its roles is left; `None` for any other statement, and for a policy that is for nobody any more:
/// nobody sees a row more for that.
fn less(statement: &Statement, missing: &[String]) -> Option<Statement> {
    let (from, to) = named(statement).filter(|_| statement.phase == POLICY)?;
    let left: Vec<&str> =
        list(&statement.sql[from..to]).into_iter().filter(|one| !missing.contains(&bare(one))).collect();
    if left.is_empty() {
        return None;
    }
    let sql = format!("{}{}{}", &statement.sql[..from], left.join(", "), &statement.sql[to..]);
    Some(Statement { phase: statement.phase, sql })
}

/// The roles that a statement names, without their quotes.
fn roles(statement: &Statement) -> Vec<String> {
    let Some((from, to)) = named(statement) else { return Vec::new() };
    // Unquoted it is everybody; a role of that name could not be made.
    list(&statement.sql[from..to]).into_iter().filter(|name| *name != "public").map(bare).collect()
}

/// Where the roles of a statement stand in it.
fn named(statement: &Statement) -> Option<(usize, usize)> {
    let sql = statement.sql.as_str();
    let behind = |word: &str, at: Option<usize>| at.map(|at| at + word.len());
    let from = match statement.phase {
        POLICY => behind(" to ", outside(sql, " to ").first().copied()),
        OWNER => behind(" owner to ", outside(sql, " owner to ").last().copied()),
        REVOKED => behind(" from ", outside(sql, " from ").last().copied()),
        phase if GRANTED.contains(&phase) => behind(" to ", outside(sql, " to ").last().copied()),
        _ => None,
    }?;
    let ends = match statement.phase {
        POLICY => [" using (", " with check ("].map(|word| outside(sql, word).first().copied()),
        _ => [outside(sql, " with grant option").last().copied(), None],
    };
    let to = ends.into_iter().flatten().filter(|to| *to >= from).min().unwrap_or(sql.len());
    Some((from, to))
}

/// The parts of a list of names.
fn list(names: &str) -> Vec<&str> {
    let commas = outside(names, ", ");
    let from = std::iter::once(0).chain(commas.iter().map(|at| at + 2));
    let to = commas.iter().copied().chain([names.len()]);
    from.zip(to).map(|(from, to)| &names[from..to]).collect()
}

/// Where a word stands in a statement outside of quoted names.
fn outside(sql: &str, word: &str) -> Vec<usize> {
    let quotes = |at: usize| sql[..at].matches('"').count();
    sql.match_indices(word).map(|(at, _)| at).filter(|at| quotes(*at) % 2 == 0).collect()
}

/// A name without its quotes.
fn bare(name: &str) -> String {
    match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(phase: i32, sql: &str) -> Vec<String> {
        roles(&Statement { phase, sql: sql.to_owned() })
    }

    #[test]
    fn roles_are_found_where_they_stand_and_nowhere_else() {
        for (phase, sql, expected) in [
            (90, "alter table \"a owner to b\" owner to \"My \"\"role\"\"\"", vec!["My \"role\""]),
            (91, "revoke all on sequence s from keeper", vec!["keeper"]),
            (92, "grant SELECT on \"x to y\" to public", vec![]),
            (92, "grant SELECT on note to reader with grant option", vec!["reader"]),
            (93, "grant UPDATE (\"to\") on note to \"a, b\"", vec!["a, b"]),
            (
                80,
                "create policy \"to x\" on note for all to a, \"b, c\", public using ((x = 'to z using ('))",
                vec!["a", "b, c"],
            ),
            (80, "create policy p on note as restrictive for select to a with check (true)", vec!["a"]),
            (60, "alter table note add constraint c check (a to b)", vec![]),
        ] {
            assert_eq!(of(phase, sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_policy_stays_for_those_who_are_left() {
        let policy = |roles: &str| Statement {
            phase: 80,
            sql: format!("create policy p on note for all to {roles} using ((team = 'to x'::text))"),
        };
        let missing = ["gone".to_owned()];
        assert_eq!(less(&policy("a, gone, public"), &missing), Some(policy("a, public")));
        assert_eq!(less(&policy("gone"), &missing), None);
        let grant = Statement { phase: 92, sql: "grant SELECT on note to gone".to_owned() };
        assert_eq!(less(&grant, &missing), None);
    }
}

//! The guide asks for a superuser, or an empty tenant, during the backfill: every policy is off, and a wrong tenant goes in unseen.

use super::facts::Facts;
use super::{Check, Found, Severity};
use super::list;

pub(super) const CHECK: Check = Check {
    id: "tenant-bypass",
    severity: Severity::Warning,
    title: "a role that row-level security does not bind",
    means: "A role is a superuser or bypasses row-level security. Rows are written as the bound serving role all the same.",
    cure: "Connect as roles that are neither.",
    check,
};

fn check(facts: &Facts<'_>) -> Option<Found> {
    let sides: Vec<String> = [("reads the source", facts.source), ("writes the store", &facts.target.identity)]
        .into_iter()
        .filter(|(_, identity)| identity.superuser || identity.bypass_rls)
        .map(|(does, identity)| {
            let why = if identity.superuser { "is a superuser" } else { "bypasses row-level security" };
            format!("role {} {does} and {why}", identity.role)
        })
        .collect();
    if sides.is_empty() {
        return None;
    }
    let mut what = list(&sides, 2);
    what.replace_range(..1, "R");
    Found::warning(
        None,
        format!("{what}. Rows are written as heirloom_serve, bound to the namespaces of this plan, all the same"),
        "connect as roles that are neither; `tenant_id = ''` is not needed and not used",
    )
}

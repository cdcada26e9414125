//! The four tenants of the first case and their workspaces: who has how many memories, and who reports to whom.
//!
//! Names and row counts are the first seed's; each tenant had a database of its own there and has a schema here.

use super::notes::Topic::{self, Coding, Finance, Ops, Research, Support, Travel};

/// A tenant of case A.
#[derive(Debug)]
pub struct Tenant {
    /// As the report names it, e.g. `agents-team`.
    pub name: &'static str,
    /// The schema that stands for its database, e.g. `agents_team`.
    pub schema: &'static str,
    /// Rows of its `agent_memories`.
    pub rows: usize,
    /// How many of them have a 1536-dimension embedding.
    pub embedded: usize,
    /// Whether its rows carry the [`super::dirt::DIRT`] of a long life and a `metadata` column.
    pub dirty: bool,
    pub(super) workspaces: &'static [Desk],
}

/// A workspace: name, index of its parent, status, what its agent writes about.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) name: &'static str,
    pub(super) parent: Option<usize>,
    pub(super) status: &'static str,
    pub(super) topic: Topic,
}

const fn desk(name: &'static str, parent: Option<usize>, status: &'static str, topic: Topic) -> Desk {
    Desk { name, parent, status, topic }
}

/// The tenants of the first seed: 1,805 + 144 + 1 + 102 = 2,052 rows.
pub const TENANTS: [Tenant; 4] = [
    Tenant {
        name: "agents-team",
        schema: "agents_team",
        rows: 1805,
        embedded: 40,
        dirty: true,
        workspaces: &AGENTS_TEAM,
    },
    Tenant { name: "hongming", schema: "hongming", rows: 144, embedded: 6, dirty: false, workspaces: &HONGMING },
    Tenant { name: "chloe-dong", schema: "chloe_dong", rows: 1, embedded: 0, dirty: false, workspaces: &CHLOE_DONG },
    Tenant { name: "reno-stars", schema: "reno_stars", rows: 102, embedded: 4, dirty: false, workspaces: &RENO_STARS },
];

// Two roots: an org is the root of a tree of parents, and one database may hold several.
static AGENTS_TEAM: [Desk; 21] = [
    desk("Agents Team", None, "online", Ops),
    desk("Engineering lead", Some(0), "online", Coding),
    desk("Platform lead", Some(0), "online", Ops),
    desk("Customer desk", Some(0), "online", Support),
    desk("Back office", Some(0), "hibernated", Finance),
    desk("Backend coder", Some(1), "online", Coding),
    desk("Frontend coder", Some(1), "online", Coding),
    desk("Code reviewer", Some(1), "online", Coding),
    desk("Release agent", Some(1), "degraded", Coding),
    desk("Legacy coder", Some(1), "removed", Coding),
    desk("On-call helper", Some(2), "online", Ops),
    desk("Database keeper", Some(2), "online", Ops),
    desk("Cost watcher", Some(2), "paused", Finance),
    desk("Old deployer", Some(2), "removed", Ops),
    desk("Inbox agent", Some(3), "online", Support),
    desk("Escalations", Some(3), "offline", Support),
    desk("Bookkeeper", Some(4), "online", Finance),
    desk("Travel desk", Some(4), "online", Travel),
    desk("Research guild", None, "online", Research),
    desk("Paper reader", Some(18), "online", Research),
    desk("Benchmark runner", Some(18), "failed", Research),
];

static HONGMING: [Desk; 6] = [
    desk("Hongming", None, "online", Coding),
    desk("Builder", Some(0), "online", Coding),
    desk("Concierge", Some(0), "online", Travel),
    desk("Test writer", Some(1), "online", Coding),
    desk("Server keeper", Some(1), "online", Ops),
    desk("First try", Some(1), "removed", Coding),
];

static CHLOE_DONG: [Desk; 1] = [desk("Chloe", None, "online", Travel)];

static RENO_STARS: [Desk; 7] = [
    desk("Reno Stars", None, "online", Support),
    desk("Sales", Some(0), "online", Support),
    desk("Office", Some(0), "online", Finance),
    desk("Quote writer", Some(1), "online", Support),
    desk("Follow-up", Some(1), "online", Support),
    desk("Invoices", Some(2), "online", Finance),
    desk("Site visits", Some(1), "awaiting_agent", Travel),
];

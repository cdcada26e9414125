//! How a plan's source is named in `heirloom.origin`: the same for every plan of the same table and tenant.

use super::Plan;
use crate::mapping::Context;
use crate::source::{Relation, TreeRows};

impl Plan {
    /// `system/tenant/table`: what `apply` writes into `heirloom.origin.source` and `verify` looks for.
    ///
    /// Contains no host and no credential; a query is named by its digest.
    pub fn origin_source(&self) -> String {
        let relation = match &self.source.relation {
            Relation::Table(_) => self.source.table.name.clone(),
            Relation::Query(query) => format!("query-{}", &blake3::hash(query.as_bytes()).to_hex()[..16]),
        };
        let source = format!("{}/{}/{relation}", self.source.identity.system, self.tenant);
        match &self.target.foreign {
            None => source,
            // The same row in a store and elsewhere is two rows handed down.
            Some(found) => format!("{source} to {}", found.system),
        }
    }
}

impl Plan {
    /// What the mapping of this plan is compiled with.
    pub(crate) fn context(&self, dimension: usize, tree: Option<TreeRows>) -> Context {
        Context {
            system: self.source.identity.system.clone(),
            tenant: self.tenant.clone(),
            tree,
            dimension: self.width(dimension),
            key: self.source.key.clone(),
            surface: self.target.foreign.as_ref().map(|found| found.surface.clone()),
        }
    }
}

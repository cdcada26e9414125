//! Evidence out of what the other rooms made.

use super::{Counts, Different, Digests, Evidence, FORMAT, Place, PlanMark, SoakDay, Versions, check};
use crate::ledger::{RejectTotal, RunSummary};
use crate::plan::Plan;
use crate::soak::SoakStatus;
use crate::verify::{RecallProof, Verification};

/// What evidence is made of.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The plan that was applied.
    pub plan: &'a Plan,
    /// Its line in the ledger.
    pub run: &'a RunSummary,
    /// What was set aside, from [`crate::ledger::reject_counts`].
    pub rejects: &'a [RejectTotal],
    /// The comparison, when one was made.
    pub verification: Option<&'a Verification>,
    /// The recall proof, when one was made.
    pub recall: Option<&'a RecallProof>,
    /// Where the soak stands, when the ledger could say.
    pub soak: Option<&'a SoakStatus>,
    /// Path of the plan's file, for the commands that check again.
    pub plan_path: &'a str,
    /// Version of the binary that writes the evidence.
    pub heirloom: &'a str,
    /// Now, as the caller's clock says.
    pub generated_at: jiff::Timestamp,
}

impl Evidence {
    /// Puts the parts together. A comparison or a proof that was not made leaves its place empty and `holds` false.
    pub fn of(parts: &Parts<'_>) -> Self {
        let Parts { plan, run, verification, .. } = *parts;
        let compared = verification.is_some_and(|verification| verification.holds);
        Self {
            format: FORMAT,
            generated_at: parts.generated_at.to_string(),
            versions: Versions {
                plan: plan.heirloom.clone(),
                apply: run.heirloom.clone(),
                report: parts.heirloom.to_owned(),
            },
            name: plan.name.clone(),
            tenant: plan.tenant.clone(),
            run_id: plan.run_id,
            state: run.state,
            // A proof that was not asked for says nothing; one that fails does.
            holds: compared && parts.recall.is_none_or(|proof| proof.holds),
            started_at: run.started_at.clone(),
            applied_at: run.applied_at.clone(),
            verified_at: run.verified_at.clone(),
            actor: run.actor.clone(),
            source: Place {
                display: plan.source.display.clone(),
                table: plan.source.table.name.clone(),
                identity: plan.source.identity.clone(),
                fingerprint: plan.source.fingerprint.clone(),
            },
            target: Place {
                display: plan.target.foreign.as_ref().map_or(&plan.target.display, |found| &found.display).clone(),
                table: plan.target.foreign.as_ref().map_or("heirloom.memory", |found| found.surface.table()).to_owned(),
                identity: plan.target.foreign.as_ref().map_or(&plan.target.identity, |found| &found.identity).clone(),
                fingerprint: plan.target.fingerprint.clone(),
            },
            plan: PlanMark {
                digest: plan.digest.clone(),
                created_at: plan.created_at.to_string(),
                file: plan.file.path.clone(),
                file_digest: plan.file.digest.clone(),
                key: plan.source.key.clone(),
            },
            counts: counts(run, verification),
            columns: plan.columns.clone(),
            dimensions: plan.dimensions.clone(),
            namespaces: plan.namespaces.clone(),
            rejects: parts.rejects.to_vec(),
            findings: plan.findings.clone(),
            explained: verification.map(|verification| verification.explained.clone()).unwrap_or_default(),
            differences: verification.map(differences).unwrap_or_default(),
            not_shown: verification.map(|verification| verification.not_shown.clone()).unwrap_or_default(),
            unseen: verification.map_or(0, |verification| verification.unseen),
            partly_shown: verification.map_or(0, |verification| verification.partly_shown),
            digests: verification.map(|verification| Digests {
                merkle_root: verification.merkle_root.clone(),
                chunks: verification.chunks.clone(),
            }),
            recall: parts.recall.cloned(),
            soak: parts.soak.map(days).unwrap_or_default(),
            gates: parts
                .soak
                .filter(|soak| soak.calendar.started_at.is_some())
                .map(|soak| soak.gates.clone())
                .unwrap_or_default(),
            audit: parts.soak.and_then(|soak| soak.head.clone()),
            check_again: check::commands(parts.plan_path),
        }
    }
}

fn days(soak: &SoakStatus) -> Vec<SoakDay> {
    let day = |day: &crate::soak::Day| SoakDay {
        day: day.day.clone(),
        sweeps: day.sweeps,
        differences: day.divergences,
        kind: day.kind,
        counts: day.counts,
    };
    soak.calendar.days.iter().map(day).collect()
}

fn counts(run: &RunSummary, verification: Option<&Verification>) -> Counts {
    Counts {
        source_rows: verification.map_or(run.rows, |verification| verification.source_rows),
        // Conflicts are there too: the store's own edit of a row that was handed down.
        migrated: run.rows.saturating_sub(run.rejected + run.forgotten),
        inserted: run.inserted,
        updated: run.updated,
        restored: run.restored,
        forgotten: run.forgotten,
        conflicts: run.conflicts,
        rejected: run.rejected,
        expected: verification.map(|verification| verification.expected),
        found: verification.map(|verification| verification.found),
        equal: verification.map(|verification| verification.equal),
        explained: verification
            .map(|verification| verification.explained.values().sum::<u64>() + verification.live_rows),
        differences: verification.map(|verification| verification.difference_count),
        live_rows: verification.map(|verification| verification.live_rows),
    }
}

fn differences(verification: &Verification) -> Vec<Different> {
    let one = |difference: &crate::verify::Difference| Different {
        class: difference.class,
        key: difference.key.clone(),
        id: difference.id,
        chunk: difference.chunk,
        column: difference.column.clone(),
    };
    verification.differences.iter().map(one).collect()
}

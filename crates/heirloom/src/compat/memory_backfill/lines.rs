//! The lines that the platform's command ends with, for scripts that look for them.

/// `Backfill complete: …`, after a line of nothing.
pub fn backfilled(scanned: u64, copied: u64, skipped: u64, errors: u64) -> String {
    format!("\nBackfill complete: scanned={scanned} copied={copied} skipped={skipped} errors={errors}\n")
}

/// `Verify complete: …`.
pub fn verified(workspaces: u64, matches: u64, mismatches: u64, errors: u64) -> String {
    format!(
        "Verify complete: workspaces_sampled={workspaces} matches={matches} mismatches={mismatches} errors={errors}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_the_platforms() {
        assert_eq!(
            backfilled(1_805, 1_800, 3, 2),
            "\nBackfill complete: scanned=1805 copied=1800 skipped=3 errors=2\n"
        );
        assert_eq!(verified(4, 9, 1, 0), "Verify complete: workspaces_sampled=4 matches=9 mismatches=1 errors=0\n");
    }
}

//! How far making a plan has come: what the caller shows while it waits.

/// How far making a plan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Reading the source.
    Reading {
        /// Rows so far.
        rows: u64,
        /// Bytes so far.
        bytes: u64,
        /// About how many rows there are, when the source says.
        of: Option<u64>,
    },
    /// Asking the target which ids it knows.
    Asking {
        /// Ids so far.
        done: u64,
        /// Ids in all.
        of: u64,
    },
}

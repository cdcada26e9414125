//! Names that give a column or a value away. Compared folded: case and outer space do not count.

/// Columns that say who may see a row.
pub(crate) const SCOPE: &[&str] =
    &["scope", "visibility", "access", "access_level", "audience", "sharing", "share_scope", "privacy", "namespace"];

/// Columns that say when a row was written.
pub(crate) const CREATED: &[&str] = &[
    "created_at",
    "created",
    "createdat",
    "created_on",
    "created_time",
    "creation_time",
    "creation_date",
    "date_created",
    "inserted_at",
    "added_at",
    "written_at",
    "recorded_at",
    "timestamp",
    "ts",
    "time",
];

/// Columns that say when a row was last changed.
pub(crate) const UPDATED: &[&str] = &[
    "updated_at",
    "updated",
    "updatedat",
    "updated_on",
    "modified_at",
    "modified",
    "modified_on",
    "last_modified",
    "changed_at",
    "mtime",
    "last_updated",
    "date_updated",
];

/// Columns that hold a lifecycle.
pub(crate) const STATUS: &[&str] = &["status", "state", "lifecycle_state", "lifecycle"];

/// Columns that mark a row as gone, by a time or a flag.
pub(crate) const DELETED: &[&str] =
    &["deleted_at", "deleted", "is_deleted", "removed_at", "is_removed", "archived_at", "is_archived"];

/// Columns that limit how long a row lives.
pub(crate) const TTL: &[&str] = &[
    "ttl",
    "ttl_seconds",
    "ttl_interval",
    "expires_at",
    "expires_after",
    "expiry",
    "retention",
    "retain_until",
    "retention_interval",
];

/// Status values of rows nobody should meet again.
pub(crate) const DEAD: &[&str] = &[
    "deleted",
    "archived",
    "removed",
    "invalid",
    "wrong",
    "rejected",
    "outdated",
    "stale",
    "deprecated",
    "obsolete",
    "replaced",
    "superseded",
    "expired",
    "retired",
    "trash",
    "trashed",
];

/// States from which a memory is not recalled, or only where it is named.
pub(crate) const HIDDEN_STATES: &[&str] = &["archived", "rejected", "deprecated", "superseded"];

/// How names and values are compared here.
pub(crate) fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Whether a name is in a list.
pub(crate) fn is_one_of(name: &str, list: &[&str]) -> bool {
    let folded = fold(name);
    list.contains(&folded.as_str())
}

/// Whether a column's name is in a list: `deletedAt`, `deleted-at` and `Deleted At` are `deleted_at`.
pub(crate) fn is_name(name: &str, list: &[&str]) -> bool {
    let bare = |name: &str| fold(name).replace(['_', '-', ' '], "");
    let name = bare(name);
    list.iter().any(|known| bare(known) == name)
}

//! Every file of `sql/migrations` and `sql/objects`, in the order they are applied. A test compares with the folders.

use super::SqlFile;
use crate::sql_file;

pub(super) const MIGRATIONS: &[SqlFile] = &[
    sql_file!("migrations/0001_language.sql"),
    sql_file!("migrations/0002_memory.sql"),
    sql_file!("migrations/0003_namespace.sql"),
    sql_file!("migrations/0004_history.sql"),
    sql_file!("migrations/0005_proof.sql"),
    sql_file!("migrations/0006_upkeep.sql"),
];

pub(super) const OBJECTS: &[SqlFile] = &[
    sql_file!("objects/functions/text_config.sql"),
    sql_file!("objects/functions/function_words.sql"),
    sql_file!("objects/functions/recall_terms.sql"),
    sql_file!("objects/functions/recall.sql"),
    sql_file!("objects/functions/recall_ghosts.sql"),
    sql_file!("objects/functions/uuid_v7.sql"),
    sql_file!("objects/triggers/memory_namespace.sql"),
    sql_file!("objects/triggers/memory_updated_at.sql"),
    sql_file!("objects/policies/activity.sql"),
    sql_file!("objects/policies/edge.sql"),
    sql_file!("objects/policies/lexeme.sql"),
    sql_file!("objects/policies/memory.sql"),
    sql_file!("objects/policies/namespace.sql"),
    sql_file!("objects/policies/origin.sql"),
    sql_file!("objects/policies/revision.sql"),
    sql_file!("objects/policies/state_transition.sql"),
    sql_file!("objects/policies/tombstone.sql"),
    sql_file!("objects/grants/audit.sql"),
    sql_file!("objects/grants/pgvector.sql"),
    sql_file!("objects/grants/serve.sql"),
];

/// The two cluster-wide roles; run by every `up`.
pub(super) const ROLES: SqlFile = sql_file!("roles.sql");

//! The tables of both seeds, small, with what real tables hold; and files that read them.

use heirloom_engine::Database;

/// The first seed, as its issue says it: every row to its workspace.
pub(crate) const SEED_A: &str = r#"
name = "agents-team"

[source]
url = "store"
table = "public.agent_memories"

[namespace]
template = "workspace:{workspace_id}"

[map]
content = "content"
kind = { value = "fact" }
source = { value = "agent" }
created_at = "created_at"
updated_at = "updated_at"
metadata = { merge = ["metadata"] }

[reject]
budget = "4"
"#;

/// The first seed with its scopes kept apart.
pub(crate) const SEED_A_SCOPES: &str = r#"
name = "agents-team"

[source]
url = "store"
table = "public.agent_memories"

[source.tree]
table = "public.workspaces"
id = "id"
parent = "parent_id"
of = "workspace_id"

[namespace]
from = "scope"
values = { LOCAL = "workspace:{workspace_id}", TEAM = "team:{team_root}", GLOBAL = "org:{org_root}" }

[map]
content = "content"
kind = { value = "fact" }
source = { value = "agent" }
created_at = "created_at"
updated_at = "updated_at"

[reject]
budget = "4"
"#;

/// The second seed's guide.
pub(crate) const SEED_B: &str = r#"
name = "agency"

[source]
url = "store"
table = "mem.mem_item"

[namespace]
template = "project:{project_id}"

[map]
content = "content"
kind = { value = "lesson" }
role = "agent_role"
topic = "layer"
project_id = "project_id"
source_run_id = "run_id"
state = { from = "status", values = { active = "candidate", pending = "draft", deleted = "archived", superseded = "superseded", golden = "canonical" }, otherwise = "reject" }
importance = { from = "priority", scale = [1, 10] }
expires_at = { from = "ttl_seconds", ttl = "seconds", since = "created_at" }
verified_at = { from = "verified", when_true = ["verified_at", "created_at"] }
commit_sha = "git_sha"
embedding = { from = "embedding", model = "text-embedding-3-small", otherwise = "keep" }
created_at = "created_at"
"#;

async fn run(database: &Database, sql: &str) {
    database.client().await.unwrap().batch_execute(sql).await.unwrap();
}

/// 144 rows: three without workspace, one of white space only, two without time, some with JSON null, one credential.
pub(crate) async fn seed_a(database: &Database) {
    run(database, include_str!("seed_a.sql")).await;
}

/// 60 rows: five statuses, three kinds of embedding, ids that overflow, rows that have expired.
pub(crate) async fn seed_b(database: &Database) {
    run(database, include_str!("seed_b.sql")).await;
}

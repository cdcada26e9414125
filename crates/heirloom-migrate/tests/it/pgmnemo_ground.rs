//! The ground of the tests of a pgmnemo as target: a legacy table beside a store with the ledger, and a pgmnemo in a
//! database of its own.

use heirloom_engine::Database;
use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::Result;
use heirloom_migrate::apply::{self, Applied, ApplyRequest, Options, Stop};
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::plan::{self, Limits, Plan};
use heirloom_migrate::target::{Foreign, Pgmnemo, Surface};
use heirloom_migrate::verify::{self, Verification, VerifyRequest};

use crate::support::Ground;

const UPSTREAM: &str = include_str!("pgmnemo.sql");

/// Forty rows of two projects, no two of which pgmnemo takes for one, and one without text.
pub(crate) const LEGACY: &str = "
    create table lesson (
        id bigint primary key, project int, author text, layer text, body text, sha text, art text, mood text,
        extra jsonb, emb text, made timestamptz, changed timestamptz, ends timestamptz, ok timestamptz, task text
    );
    insert into lesson
    select g, 1 + g % 2, 'agent-' || g % 3, 'layer', 'lesson ' || g || E'\\r\\n' || chr(20000 + g), 'c' || g, null, 'active',
           case when g = 11 then 'null' when g = 12 then null else '{\"n\": 1.00, \"b\": [1, null], \"a\": -0}' end::jsonb,
           case when g % 4 = 0 then null else '[1,-0,0.1]' end,
           timestamptz '2026-01-01' + g * interval '1.000001 s', timestamptz '2026-02-01' + g * interval '1 s',
           case when g = 7 then timestamptz 'infinity' when g = 8 then timestamptz '2026-03-01' end,
           case when g % 2 = 0 then timestamptz '2026-01-02' end, g::text
      from generate_series(1, 40) g;
    insert into lesson (id, project, author, layer, body, sha, made) values (41, 1, 'agent-1', 'layer', ' ', 'c41', now());
";

/// The file; `target` stands under `[target]`.
pub(crate) fn file(target: &str) -> String {
    format!(
        r#"
name = "lessons"

[source]
url = "store"
table = "lesson"

[target]
url = "env:PGMNEMO"
{target}

[namespace]
template = "project:{{project}}"

[map]
content = "body"
kind = {{ value = "lesson" }}
role = "author"
topic = "layer"
commit_sha = "sha"
artifact_hash = "art"
state = {{ from = "mood", values = {{ active = "candidate" }}, otherwise = "reject" }}
metadata = "extra"
embedding = {{ from = "emb", model = "tiny" }}
created_at = "made"
updated_at = "changed"
expires_at = "ends"
verified_at = "ok"
source_task_id = "task"

[reject]
budget = "1"
"#
    )
}

/// Both sides and the ledger.
pub(crate) struct Beside {
    pub(crate) ground: Ground,
    pub(crate) there: TestDatabase,
}

impl Beside {
    /// With this in the legacy database.
    pub(crate) async fn new(legacy: &str) -> Self {
        let there = TestDatabase::prepared("pgmnemo", async |database| {
            database.client().await.unwrap().batch_execute(UPSTREAM).await.unwrap();
        })
        .await;
        Self { ground: Ground::new(legacy).await, there }
    }

    /// The target as the file wants it.
    pub(crate) fn target(&self, toml: &str) -> Pgmnemo {
        target(self.there.database(), toml)
    }

    pub(crate) async fn plan(&self, toml: &str, chunk_rows: u64) -> Result<Plan> {
        plan_into(&self.ground, &self.target(toml), toml, chunk_rows).await
    }

    pub(crate) async fn apply(&self, plan: &Plan) -> Result<Applied> {
        self.apply_with(plan, Options::default()).await
    }

    pub(crate) async fn apply_with(&self, plan: &Plan, options: Options) -> Result<Applied> {
        apply_into(&self.ground, &self.target(&plan.file.text), plan, options).await
    }

    pub(crate) async fn verify(&self, plan: &Plan) -> Result<Verification> {
        verify_against(&self.ground, &self.target(&plan.file.text), plan).await
    }

    /// Plans, applies and verifies what has to hold.
    pub(crate) async fn handed_down(&self, toml: &str, chunk_rows: u64) -> Plan {
        let plan = self.plan(toml, chunk_rows).await.unwrap();
        assert_eq!(plan.refusals, Vec::<String>::new());
        self.apply(&plan).await.unwrap();
        let found = self.verify(&plan).await.unwrap();
        assert!(found.holds, "{:#?}", found.differences);
        plan
    }

    /// In the pgmnemo, as its owner.
    pub(crate) async fn sql(&self, sql: &str) {
        self.there.database().client().await.unwrap().batch_execute(sql).await.unwrap();
    }

    /// One value of the pgmnemo as text.
    pub(crate) async fn one(&self, sql: &str) -> String {
        let client = self.there.database().client().await.unwrap();
        let row = client.query_one(&format!("select ({sql})::text"), &[]).await.unwrap();
        row.get::<_, Option<String>>(0).unwrap_or_else(|| "NULL".into())
    }

    /// Everything on this side and over there, by version: any write changes it.
    pub(crate) async fn versions(&self) -> (String, String, String) {
        let each = "select md5(coalesce(string_agg(xmin::text || ctid::text, ',' order by ctid), '')) from";
        (
            self.ground.versions().await,
            self.ground.one(&format!("{each} heirloom_migrate.delivered")).await,
            self.one(&format!("{each} pgmnemo.agent_lesson")).await,
        )
    }

    pub(crate) async fn close(self) {
        self.ground.close().await;
        self.there.close().await;
    }
}

pub(crate) fn target(database: &Database, toml: &str) -> Pgmnemo {
    Pgmnemo::of(database.clone(), Surface::pgmnemo(&MigrationFile::parse("case.toml", toml).unwrap()))
}

pub(crate) async fn plan_into(ground: &Ground, target: &dyn Foreign, toml: &str, chunk_rows: u64) -> Result<Plan> {
    let file = MigrationFile::parse("case.toml", toml)?;
    let request = plan::Request {
        foreign: Some(target),
        file: &file,
        source: ground.source.as_ref(),
        target: ground.db.database(),
        heirloom: "test",
        now: "2026-11-22T00:00:00Z".parse().unwrap(),
        limits: Limits { chunk_rows, ..Limits::default() },
        progress: &mut |_| {},
    };
    plan::make(request).await
}

pub(crate) async fn apply_into(
    ground: &Ground,
    target: &dyn Foreign,
    plan: &Plan,
    options: Options,
) -> Result<Applied> {
    let request = ApplyRequest {
        foreign: Some(target),
        plan,
        source: ground.source.as_ref(),
        store: &ground.store,
        heirloom: "test",
        stop: Stop::default(),
        check_only: false,
        options,
        progress: &mut |_| {},
    };
    apply::run(request).await
}

pub(crate) async fn verify_against(ground: &Ground, target: &dyn Foreign, plan: &Plan) -> Result<Verification> {
    let request = VerifyRequest {
        foreign: Some(target),
        plan,
        source: ground.source.as_ref(),
        store: &ground.store,
        show_content: false,
        progress: &mut |_, _| {},
    };
    verify::run(request).await
}

//! A database with a legacy table of realistic rows, and a store beside it.

use std::time::Instant;

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::apply::{self, ApplyRequest, Options, Stop};
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::plan::{self, Limits, Plan};
use heirloom_migrate::source::{self, Source};
use heirloom_migrate::verify::{self, Verification, VerifyRequest};
use heirloom_store::{Store, UpOptions};

pub(crate) struct Ground {
    pub(crate) db: TestDatabase,
    pub(crate) store: Store,
    pub(crate) source: Box<dyn Source>,
    pub(crate) rows: u64,
    file: &'static str,
}

const FILE: &str = r#"
name = "bench"
[source]
url = "store"
table = "bench.item"
key = ["id"]
[namespace]
template = "workspace:{desk}"
[map]
content = "body"
kind = { value = "fact" }
source = { value = "agent" }
topic = "layer"
role = "role"
state = { from = "status", values = { active = "candidate", pending = "draft" }, otherwise = "reject" }
importance = { from = "priority", scale = [1, 10] }
source_run_id = "run"
created_at = "made"
updated_at = "changed"
embedding = { from = "embedding", model = "bench" }
metadata = { merge = ["tags", "properties"] }
"#;

const NARROW: &str = "name = \"narrow\"\n[source]\nurl = \"store\"\ntable = \"bench.item\"\nkey = [\"id\"]\n[namespace]\n\
    template = \"workspace:{desk}\"\n[map]\ncontent = \"body\"\nkind = { value = \"fact\" }\n";

const CHANGING: &str = "name = \"changing\"\n[source]\nurl = \"store\"\ntable = \"bench.item\"\nkey = [\"id\"]\n\
    changed_at = \"changed\"\n[namespace]\ntemplate = \"workspace:{desk}\"\n[map]\ncontent = \"body\"\n\
    kind = { value = \"fact\" }\nupdated_at = \"changed\"\n";

const NOTED: &str = "name = \"noted\"\n[source]\nurl = \"store\"\ntable = \"bench.item\"\nkey = [\"id\"]\n\
    outbox = true\n[namespace]\ntemplate = \"workspace:{desk}\"\n[map]\ncontent = \"body\"\n\
    kind = { value = \"fact\" }\nupdated_at = \"changed\"\n";

impl Ground {
    /// Rows of 700 bytes of text and a vector of 1,024 dimensions, made from as many random numbers as they have, of twenty
    /// namespaces.
    pub(crate) async fn new(rows: u64) -> Self {
        Self::wide(rows, FILE).await
    }

    /// The same rows in one namespace.
    pub(crate) async fn of_one_namespace(rows: u64) -> Self {
        let file = FILE.replace("workspace:{desk}", "workspace:all");
        Self::wide(rows, file.leak()).await
    }

    async fn wide(rows: u64, file: &'static str) -> Self {
        let legacy = format!(
            "create schema bench;
             create table bench.item (id bigint primary key, desk text, body text, layer text, role text, status text,
                 priority integer, run text, made timestamptz, changed timestamptz, embedding vector(1024), tags jsonb, properties jsonb);
             insert into bench.item
             select g, 'desk-' || g % 20, left(string_agg(w.word, ' ') || ' ' || repeat(md5(g::text) || ' ', 30), 700), 'project', 'agent',
                    (array['active', 'pending'])[1 + g % 2], 1 + g % 10, 'run-' || g % 500,
                    timestamptz '2026-01-01' + g * interval '1.000001 s', timestamptz '2026-02-01' + g * interval '1.000001 s',
                    (select array_agg(random() - 0.5) from generate_series(1, 1024 + g % 1) d)::vector,
                    jsonb_build_object('a', g, 'tags', jsonb_build_array('x', g % 9)), jsonb_build_object('p', g % 100)
               from generate_series(1, {rows}) g,
                    lateral (select md5((g * 31 + n % 40)::text) as word from generate_series(1, 8) n) w
              group by g;
             analyze bench.item"
        );
        Self::with(&legacy, rows, file).await
    }

    /// Rows of a hundred bytes.
    pub(crate) async fn narrow(rows: u64) -> Self {
        let legacy = format!(
            "create schema bench;
             create table bench.item (id bigint primary key, desk text, body text);
             insert into bench.item select g, 'desk-' || g % 20, 'note ' || g || ' ' || repeat('x', 80) from generate_series(1, {rows}) g"
        );
        Self::with(&legacy, rows, NARROW).await
    }

    /// Rows of a hundred bytes with a time of their last change.
    pub(crate) async fn changing(rows: u64, outbox: bool) -> Self {
        let legacy = format!(
            "create schema bench;
             create table bench.item (id bigint primary key, desk text, body text, changed timestamptz not null);
             insert into bench.item select g, 'desk-' || g % 20, 'note ' || g || ' ' || repeat('x', 80), now() from generate_series(1, {rows}) g;
             create index on bench.item (changed); analyze bench.item"
        );
        Self::with(&legacy, rows, if outbox { NOTED } else { CHANGING }).await
    }

    async fn with(legacy: &str, rows: u64, file: &'static str) -> Self {
        Self::of(legacy, rows, file, UpOptions::default()).await
    }

    /// Any legacy table and file, beside a store of any width.
    pub(crate) async fn of(legacy: &str, rows: u64, file: &'static str, options: UpOptions) -> Self {
        let db = TestDatabase::fresh().await;
        let store = Store::up(db.database(), &options).await.unwrap();
        let source = source::open("store", db.database()).await.unwrap();
        let ground = Self { db, store, source, rows, file };
        ground.sql(legacy).await;
        ground
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.db.database().client().await.unwrap().batch_execute(sql).await.unwrap();
    }

    pub(crate) async fn one(&self, sql: &str) -> String {
        let client = self.db.database().client().await.unwrap();
        client.query_one(&format!("select ({sql})::text"), &[]).await.unwrap().get(0)
    }

    pub(crate) async fn plan(&self) -> Plan {
        let file = MigrationFile::parse("bench.toml", self.file).unwrap();
        let plan = plan::make(plan::Request {
            foreign: None,
            file: &file,
            source: self.source.as_ref(),
            target: self.db.database(),
            heirloom: "bench",
            now: "2026-11-22T00:00:00Z".parse().unwrap(),
            limits: Limits::default(),
            progress: &mut |_| {},
        })
        .await
        .unwrap();
        assert_eq!(plan.refusals, Vec::<String>::new());
        plan
    }

    /// Seconds of an apply.
    pub(crate) async fn apply(&self, plan: &Plan, workers: usize) -> f64 {
        self.apply_watched(plan, workers, &mut |_| {}).await
    }

    pub(crate) async fn apply_watched(
        &self,
        plan: &Plan,
        workers: usize,
        progress: &mut (dyn FnMut(apply::Progress) + Send),
    ) -> f64 {
        let started = Instant::now();
        let done = apply::run(ApplyRequest {
            foreign: None,
            plan,
            source: self.source.as_ref(),
            store: &self.store,
            heirloom: "bench",
            stop: Stop::default(),
            check_only: false,
            options: Options { workers: Some(workers), ..Options::default() },
            progress,
        })
        .await
        .unwrap();
        assert_eq!(done.rows, self.rows);
        started.elapsed().as_secs_f64()
    }

    pub(crate) async fn verify(&self, plan: &Plan) -> Verification {
        let (source, store) = (self.source.as_ref(), &self.store);
        verify::run(VerifyRequest { foreign: None, plan, source, store, show_content: false, progress: &mut |_, _| {} })
            .await
            .unwrap()
    }

    pub(crate) async fn close(self) {
        drop(self.source);
        self.db.close().await;
    }
}

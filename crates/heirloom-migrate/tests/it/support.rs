//! A legacy table, a store and a plan between them, for tests that go the whole way.

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::apply::{self, Applied, ApplyRequest, Stop};
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::plan::{self, Limits, Plan};
use heirloom_migrate::source::{self, Source};
use heirloom_migrate::verify::{self, Verification, VerifyRequest};
use heirloom_migrate::{MigrateError, Result};
use heirloom_store::{Store, UpOptions};

/// A database with an empty store of this width in it.
pub(crate) async fn installed(dimension: usize) -> TestDatabase {
    TestDatabase::prepared(&format!("store of {dimension}"), async |database| {
        Store::up(database, &UpOptions { dimension, ..UpOptions::default() }).await.unwrap();
    })
    .await
}

/// One database with a legacy table in it and a store beside.
pub(crate) struct Ground {
    pub(crate) db: TestDatabase,
    pub(crate) store: Store,
    pub(crate) source: Box<dyn Source>,
}

impl Ground {
    /// Runs `legacy` and installs a store of width 4.
    pub(crate) async fn new(legacy: &str) -> Self {
        let db = installed(4).await;
        let store = Store::open(db.database()).await.unwrap();
        let source = source::open("store", db.database()).await.unwrap();
        let ground = Self { db, store, source };
        ground.sql(legacy).await;
        ground
    }

    /// As the owner of everything.
    pub(crate) async fn sql(&self, sql: &str) {
        self.db.database().client().await.unwrap().batch_execute(sql).await.unwrap();
    }

    /// One value as text.
    pub(crate) async fn one(&self, sql: &str) -> String {
        let client = self.db.database().client().await.unwrap();
        let row = client.query_one(&format!("select ({sql})::text"), &[]).await.unwrap();
        row.get::<_, Option<String>>(0).unwrap_or_else(|| "NULL".into())
    }

    pub(crate) async fn plan(&self, toml: &str, chunk_rows: u64) -> Result<Plan> {
        self.plan_from(self.source.as_ref(), toml, chunk_rows).await
    }

    pub(crate) async fn apply(&self, plan: &Plan) -> Result<Applied> {
        self.apply_from(self.source.as_ref(), plan).await
    }

    pub(crate) async fn verify(&self, plan: &Plan) -> Result<Verification> {
        self.verify_from(self.source.as_ref(), plan).await
    }

    /// From a source that lies elsewhere.
    pub(crate) async fn plan_from(&self, source: &dyn Source, toml: &str, chunk_rows: u64) -> Result<Plan> {
        let file = MigrationFile::parse("case.toml", toml)?;
        plan::make(plan::Request {
            foreign: None,
            file: &file,
            source,
            target: self.db.database(),
            heirloom: "test",
            now: "2026-11-22T00:00:00Z".parse().unwrap(),
            limits: Limits { chunk_rows, ..Limits::default() },
            progress: &mut |_| {},
        })
        .await
    }

    pub(crate) async fn apply_from(&self, source: &dyn Source, plan: &Plan) -> Result<Applied> {
        self.apply_or_check(source, plan, false).await
    }

    /// What apply would do.
    pub(crate) async fn check_from(&self, source: &dyn Source, plan: &Plan) -> Result<Applied> {
        self.apply_or_check(source, plan, true).await
    }

    /// In a way of its own.
    pub(crate) async fn apply_with(&self, plan: &Plan, options: apply::Options) -> Result<Applied> {
        self.apply_until(&Stop::default(), self.source.as_ref(), plan, options).await
    }

    /// In a way of its own, until it is asked to stop.
    pub(crate) async fn apply_until(
        &self,
        stop: &Stop,
        source: &dyn Source,
        plan: &Plan,
        options: apply::Options,
    ) -> Result<Applied> {
        self.request(stop, source, plan, options, false).await
    }

    async fn apply_or_check(&self, source: &dyn Source, plan: &Plan, check_only: bool) -> Result<Applied> {
        self.request(&Stop::default(), source, plan, apply::Options::default(), check_only).await
    }

    async fn request(
        &self,
        stop: &Stop,
        source: &dyn Source,
        plan: &Plan,
        options: apply::Options,
        check_only: bool,
    ) -> Result<Applied> {
        apply::run(ApplyRequest {
            foreign: None,
            plan,
            source,
            store: &self.store,
            heirloom: "test",
            stop: stop.clone(),
            check_only,
            options,
            progress: &mut |_| {},
        })
        .await
    }

    pub(crate) async fn verify_from(&self, source: &dyn Source, plan: &Plan) -> Result<Verification> {
        verify::run(VerifyRequest {
            foreign: None,
            plan,
            source,
            store: &self.store,
            show_content: false,
            progress: &mut |_, _| {},
        })
        .await
    }

    /// Everything the ledger and the store hold, by version: any write changes it.
    pub(crate) async fn versions(&self) -> String {
        self.one(
            "select md5(coalesce(string_agg(t, ',' order by t), '')) from (
                 select 'm' || xmin::text || ctid::text as t from heirloom.memory
                 union all select 'o' || xmin::text || ctid::text from heirloom.origin
                 union all select 'a' || xmin::text || ctid::text from heirloom.activity
                 union all select 'r' || xmin::text || ctid::text from heirloom_migrate.reject
                 union all select 'c' || xmin::text || ctid::text from heirloom_migrate.chunk
                 union all select 'e' || xmin::text || ctid::text from heirloom_migrate.event
                 union all select 'u' || xmin::text || ctid::text from heirloom_migrate.run) v",
        )
        .await
    }

    pub(crate) async fn close(self) {
        drop(self.source);
        self.db.close().await;
    }
}

/// What an error says, for tests that expect one.
pub(crate) fn said<T: std::fmt::Debug>(result: std::result::Result<T, MigrateError>) -> String {
    result.unwrap_err().to_string()
}

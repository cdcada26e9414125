//! A table in memory that is a source, and a migration file to read it with: what the tests of findings look at.
//!
//! Columns are given as columns; the five that every case has (`id`, `ws`, `content`, `created_at`, `updated_at`) are
//! filled in unless a case says otherwise.

use async_trait::async_trait;
use heirloom_engine::Database;
use heirloom_migrate::Result;
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::plan::{self, Finding, Limits, Plan, Target};
use heirloom_migrate::source::{Column, Identity, Read, Relation, Source, Table, TreeRows, Type, Visit};
use heirloom_migrate::value::{SourceRow, Value};
use heirloom_store::Moment;

/// What the clock says in every case.
pub(crate) fn now() -> jiff::Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn moment(text: &str) -> Value {
    Value::Moment(Moment::from_timestamp(text.parse().unwrap()))
}

/// A case: columns, file and both sides.
pub(crate) struct Case {
    columns: Vec<(String, String, Vec<Value>)>,
    source: Vec<String>,
    namespace: String,
    map: Vec<(String, String)>,
    rest: Vec<String>,
    tree: TreeRows,
    pub(crate) identity: Identity,
    pub(crate) target: Target,
}

/// A case of as many rows as its first column has values.
pub(crate) fn case(rows: usize) -> Case {
    let identity = Identity {
        role: "reader".into(),
        superuser: false,
        bypass_rls: false,
        can_write: false,
        filtered: false,
        server: "PostgreSQL 18.4".into(),
        system: "system-1".into(),
    };
    let case = Case {
        columns: Vec::new(),
        source: Vec::new(),
        namespace: "template = \"workspace:{ws}\"".into(),
        map: Vec::new(),
        rest: Vec::new(),
        tree: Vec::new(),
        target: Target {
            display: "a test".into(),
            store_id: None,
            schema_version: 0,
            dimension: 4,
            identity: Identity { role: "writer".into(), system: "system-2".into(), ..identity.clone() },
            live_rows: None,
            foreign: None,
        },
        identity,
    };
    case.column("id", "text", (1..=rows).map(|n| text(&format!("{n:03}"))).collect())
        .column("ws", "text", vec![text("w1"); rows])
        .column("content", "text", (1..=rows).map(|n| text(&format!("Note {n}"))).collect())
        .column("created_at", "timestamptz", vec![moment("2026-05-01T00:00:00Z"); rows])
        .column("updated_at", "timestamptz", vec![moment("2026-05-02T00:00:00Z"); rows])
        .map("content", "\"content\"")
        .map("kind", "{ value = \"fact\" }")
        .map("source", "{ value = \"agent\" }")
        .map("created_at", "\"created_at\"")
        .map("updated_at", "\"updated_at\"")
}

impl Case {
    /// Adds a column, or replaces one.
    pub(crate) fn column(mut self, name: &str, declared: &str, values: Vec<Value>) -> Self {
        let column = (name.to_owned(), declared.to_owned(), values);
        match self.columns.iter_mut().find(|(known, ..)| known == name) {
            Some(known) => *known = column,
            None => self.columns.push(column),
        }
        self
    }

    /// A line under `[source]`.
    pub(crate) fn source(mut self, line: &str) -> Self {
        self.source.push(line.to_owned());
        self
    }

    /// The rows as a scan gives them.
    pub(crate) fn rows(&self) -> Vec<SourceRow> {
        let (_, _, keys) = self.columns.iter().find(|(name, ..)| name == "id").unwrap();
        let row = |(at, key): (usize, &Value)| {
            let Value::Text(key) = key else { panic!("keys are text here") };
            SourceRow {
                key: vec![key.clone()],
                values: self.columns.iter().map(|(_, _, values)| values[at].clone()).collect(),
            }
        };
        keys.iter().enumerate().map(row).collect()
    }

    /// What stands under `[namespace]`.
    pub(crate) fn namespace(mut self, lines: &str) -> Self {
        self.namespace = lines.to_owned();
        self
    }

    /// An entry of `[map]`, or another one in its place.
    pub(crate) fn map(mut self, field: &str, spec: &str) -> Self {
        self = self.unmap(field);
        self.map.push((field.to_owned(), spec.to_owned()));
        self
    }

    /// Takes an entry of `[map]` away.
    pub(crate) fn unmap(mut self, field: &str) -> Self {
        self.map.retain(|(known, _)| known != field);
        self
    }

    /// Another section.
    pub(crate) fn section(mut self, text: &str) -> Self {
        self.rest.push(text.to_owned());
        self
    }

    /// A table of parents, of the column `ws`.
    pub(crate) fn tree(mut self, nodes: &[(&str, Option<&str>)]) -> Self {
        self.tree = nodes.iter().map(|(id, parent)| ((*id).to_owned(), parent.map(str::to_owned))).collect();
        self.section("[source.tree]\ntable = \"workspaces\"\nid = \"id\"\nparent = \"parent_id\"\nof = \"ws\"")
    }

    pub(crate) fn toml(&self) -> String {
        let map: Vec<String> = self.map.iter().map(|(field, spec)| format!("{field} = {spec}")).collect();
        format!(
            "name = \"case\"\n\n[source]\nurl = \"env:LEGACY\"\ntable = \"public.notes\"\nkey = [\"id\"]\n{}\n\n[namespace]\n{}\n\n[map]\n{}\n\n{}\n",
            self.source.join("\n"),
            self.namespace,
            map.join("\n"),
            self.rest.join("\n\n")
        )
    }

    pub(crate) async fn try_plan(&self, limits: Limits) -> Result<Plan> {
        let file = MigrationFile::parse("case.toml", &self.toml())?;
        plan::draft(&file, self, &self.target, now(), limits).await
    }

    pub(crate) async fn plan(&self) -> Plan {
        self.try_plan(Limits::default()).await.unwrap()
    }

    /// The finding of this id, which has to be there and to say what to write.
    pub(crate) async fn finds(&self, id: &str) -> Finding {
        let plan = self.plan().await;
        let ids: Vec<&str> = plan.findings.iter().map(|finding| finding.id.as_str()).collect();
        let finding = plan.findings.iter().find(|finding| finding.id == id);
        let finding =
            finding.unwrap_or_else(|| panic!("{id} is not among {ids:?}; rejects {:?}", plan.rejects)).clone();
        assert!(!finding.what.is_empty() && !finding.write.is_empty());
        finding
    }

    /// That the finding of this id is not there.
    pub(crate) async fn silent(&self, id: &str) {
        let plan = self.plan().await;
        let finding = plan.findings.iter().find(|finding| finding.id == id);
        assert!(finding.is_none(), "{finding:?}");
    }
}

fn ty(declared: &str) -> Type {
    match declared.split('(').next().unwrap_or(declared) {
        "text" | "varchar" => Type::Text,
        "uuid" => Type::Uuid,
        "boolean" => Type::Bool,
        "bigint" | "integer" => Type::Int,
        "numeric" => Type::Decimal,
        "double precision" => Type::Float64,
        "json" | "jsonb" => Type::Json,
        "timestamptz" => Type::Moment,
        "timestamp" => Type::LocalTime,
        "vector" | "halfvec" => Type::Vector,
        other => panic!("no such type in tests: {other}"),
    }
}

#[async_trait]
impl Source for Case {
    fn display(&self) -> String {
        "memory".into()
    }

    fn database(&self) -> Option<&Database> {
        None
    }

    async fn describe(&self, _: &Relation) -> Result<Table> {
        let columns = self.columns.iter().map(|(name, declared, _)| Column {
            name: name.clone(),
            declared: declared.clone(),
            ty: ty(declared),
            not_null: false,
            generated: false,
            dimensions: None,
        });
        Ok(Table {
            name: "public.notes".into(),
            columns: columns.collect(),
            primary_key: Vec::new(),
            unique_keys: Vec::new(),
            estimated_rows: None,
        })
    }

    async fn tables(&self) -> Result<Vec<Table>> {
        Ok(Vec::new())
    }

    async fn identity(&self, _: &Relation) -> Result<Identity> {
        Ok(self.identity.clone())
    }

    async fn tree(&self, _: &str, _: &str, _: &str) -> Result<TreeRows> {
        Ok(self.tree.clone())
    }

    async fn scan(&self, read: &Read, visit: &mut Visit<'_>) -> Result<u64> {
        assert_eq!(read.key, ["id"]);
        let rows = self.rows();
        let count = rows.len() as u64;
        rows.into_iter().try_for_each(|row| visit(row, 100))?;
        Ok(count)
    }
}

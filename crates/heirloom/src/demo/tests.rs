//! The demo's migration files on the demo's rows, without a database: what is handed down and what is set aside.

use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::mapping::{Context, Mapped, Note, Program, Reject, RejectCode};
use heirloom_migrate::source::{Column, Table, TreeRows, Type};
use heirloom_migrate::value::{SourceRow, Value};
use heirloom_store::Moment;

use super::tenants::TENANTS;
use super::{dirt, guide, legacy};

fn column(name: &str, declared: &str, ty: Type) -> Column {
    let dimensions = (declared == "vector(1536)").then_some(1536);
    Column { name: name.into(), declared: declared.into(), ty, not_null: false, generated: false, dimensions }
}

fn program(file: &str, name: &str, columns: Vec<Column>, tree: Option<TreeRows>) -> Program {
    let file = MigrationFile::parse("demo.toml", file).unwrap();
    let table =
        Table { name: name.into(), columns, primary_key: vec!["id".into()], unique_keys: vec![], estimated_rows: None };
    let context = Context {
        system: "demo".into(),
        tenant: name.into(),
        tree,
        dimension: 1024,
        key: vec!["id".into()],
        surface: None,
    };
    Program::compile(&file, &table, context).unwrap_or_else(|error| panic!("{error}"))
}

fn text(text: Option<impl Into<String>>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.into()))
}

fn number(number: Option<i64>) -> Value {
    number.map_or(Value::Null, Value::Int)
}

fn moment(micros: Option<i64>) -> Value {
    micros.map_or(Value::Null, |micros| Value::Moment(Moment::Micros(micros)))
}

fn json(json: Option<String>) -> Value {
    json.map_or(Value::Null, Value::Json)
}

#[test]
fn case_a_is_handed_down_but_for_the_rows_its_budget_names() {
    for tenant in &TENANTS {
        let columns = vec![
            column("id", "uuid", Type::Uuid),
            column("workspace_id", "uuid", Type::Uuid),
            column("content", "text", Type::Text),
            column("scope", "character varying(10)", Type::Text),
            column("created_at", "timestamp with time zone", Type::Moment),
            column("updated_at", "timestamp with time zone", Type::Moment),
            column("namespace", "character varying(50)", Type::Text),
            column("content_tsv", "tsvector", Type::Other),
            column("embedding", "vector(1536)", Type::Vector),
            column("metadata", "jsonb", Type::Json),
        ];
        let tree = legacy::workspaces(tenant)
            .into_iter()
            .map(|workspace| (workspace.id.to_string(), workspace.parent.map(|parent| parent.to_string())))
            .collect();
        let program = program(&legacy::migration_file(tenant), "agent_memories", columns, Some(tree));
        let mapped: Vec<Result<Mapped, Reject>> = legacy::rows(tenant)
            .into_iter()
            .map(|row| {
                let values = vec![
                    Value::Uuid(row.id),
                    row.workspace.map_or(Value::Null, Value::Uuid),
                    Value::Text(row.content),
                    Value::Text(row.scope.into()),
                    moment(row.created_at),
                    moment(row.updated_at),
                    Value::Text(row.namespace),
                    Value::Null,
                    row.embedding.map_or(Value::Null, Value::Vector),
                    json(row.metadata),
                ];
                program.map(&SourceRow { key: vec![row.id.to_string()], values })
            })
            .collect();
        let budget = if tenant.dirty { dirt::REJECTS } else { 0 };
        let rejects: Vec<&Reject> = mapped.iter().filter_map(|row| row.as_ref().err()).collect();
        assert_eq!(rejects.len(), budget, "{}", tenant.name);
        assert!(
            rejects.iter().all(|reject| matches!(reject.code, RejectCode::NamespaceMissing | RejectCode::EmptyContent))
        );
        let wide = mapped.iter().flatten().filter(|row| row.notes.contains(&Note::NeedsEmbedding)).count();
        assert!(wide <= tenant.embedded && (wide > 0 || tenant.embedded == 0), "{}", tenant.name);
    }
}

#[test]
fn case_b_is_handed_down_whole_whichever_way_its_ttl_is_written() {
    let moments = "timestamp with time zone";
    let columns = vec![
        column("id", "bigint", Type::Int),
        column("memory_text", "text", Type::Text),
        column("layer", "text", Type::Text),
        column("tags", "jsonb", Type::Json),
        column("properties", "jsonb", Type::Json),
        column("run_id", "text", Type::Text),
        column("task_id", "text", Type::Text),
        column("ttl_seconds", "integer", Type::Int),
        column("retention", "text", Type::Text),
        column("retain_until", moments, Type::Moment),
        column("verified", "boolean", Type::Bool),
        column("verification_status", "text", Type::Text),
        column("verified_at", moments, Type::Moment),
        column("status", "text", Type::Text),
        column("agent_role", "text", Type::Text),
        column("project_id", "integer", Type::Int),
        column("priority", "integer", Type::Int),
        column("git_sha", "text", Type::Text),
        column("artifact_id", "text", Type::Text),
        column("embedding", "vector", Type::Vector),
        column("created_at", moments, Type::Moment),
        column("updated_at", moments, Type::Moment),
    ];
    let program = program(&guide::migration_file(), "mem.mem_item", columns, None);
    // 2026-05-24T00:00:00Z: no row of the demo ends near it.
    let day = Moment::Micros(1_779_580_800_000_000);
    let (mut ended, mut living, mut wide, mut embedded) = (0, 0, 0, 0);
    for row in guide::rows() {
        let run = row.run_id.clone();
        let end = row.retain_until.map_or(Value::Null, Value::Text);
        let values = vec![
            Value::Int(row.id),
            Value::Text(row.memory_text),
            text(row.layer),
            json(row.tags),
            json(row.properties),
            text(row.run_id),
            text(row.task_id),
            number(row.ttl_seconds),
            text(row.retention),
            end,
            row.verified.map_or(Value::Null, Value::Bool),
            text(row.verification_status),
            moment(row.verified_at),
            Value::Text(row.status.into()),
            Value::Text(row.agent_role.into()),
            Value::Int(row.project_id.into()),
            number(row.priority),
            text(row.git_sha),
            text(row.artifact_id),
            row.embedding.map_or(Value::Null, Value::Vector),
            moment(Some(row.created_at)),
            moment(Some(row.updated_at)),
        ];
        let mapped = program.map(&SourceRow { key: vec![row.id.to_string()], values }).unwrap();
        let memory = mapped.memory;
        assert_eq!((memory.project_id, memory.source_run_id), (Some(row.project_id), run));
        assert!(!row.status.to_lowercase().contains("deleted") || memory.state == "archived", "{}", row.status);
        match memory.expires_at {
            Some(end) if end <= day => ended += 1,
            Some(_) => living += 1,
            None => {}
        }
        wide += usize::from(mapped.notes.contains(&Note::NeedsEmbedding));
        embedded += usize::from(memory.embedding.is_some());
    }
    assert_eq!((ended, living), (guide::EXPIRED, guide::LIVING));
    assert_eq!((embedded, wide), (guide::EMBEDDED_1024, guide::EMBEDDED_1536));
}

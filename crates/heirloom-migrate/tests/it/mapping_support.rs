//! A row in, a memory or a reject out: what the tests of the mapping share.

use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::mapping::{Context, Mapped, Program, Reject};
use heirloom_migrate::source::{Column, Table, TreeRows, Type};
use heirloom_migrate::value::{SourceRow, Value};
use heirloom_store::Moment;

/// A column by name and declared type; the mapping's type follows from the declared one.
pub(crate) fn column(name: &str, declared: &str) -> Column {
    let ty = match declared.split('(').next().expect("a type") {
        "boolean" => Type::Bool,
        "smallint" | "integer" | "bigint" => Type::Int,
        "numeric" => Type::Decimal,
        "real" => Type::Float32,
        "double precision" => Type::Float64,
        "text" | "character varying" => Type::Text,
        "bytea" => Type::Bytes,
        "json" | "jsonb" => Type::Json,
        "timestamp with time zone" => Type::Moment,
        "timestamp without time zone" => Type::LocalTime,
        "date" => Type::Date,
        "interval" => Type::Interval,
        "uuid" => Type::Uuid,
        "vector" | "halfvec" => Type::Vector,
        "dynamic" => Type::Dynamic,
        array if array.ends_with("[]") => Type::Array,
        _ => Type::Other,
    };
    let dimensions = declared.split_once('(').filter(|_| ty == Type::Vector);
    Column {
        name: name.into(),
        declared: declared.into(),
        ty,
        not_null: false,
        generated: false,
        dimensions: dimensions.and_then(|(_, rest)| rest.trim_end_matches(')').parse().ok()),
    }
}

/// A table whose first column is its key.
pub(crate) fn table(name: &str, columns: &[(&str, &str)]) -> Table {
    Table {
        name: name.into(),
        columns: columns.iter().map(|(name, declared)| column(name, declared)).collect(),
        primary_key: columns.first().map(|(name, _)| (*name).to_owned()).into_iter().collect(),
        unique_keys: vec![],
        estimated_rows: None,
    }
}

/// What a plan gives the mapping for a store of 1024 dimensions.
pub(crate) fn context(table: &Table, tree: Option<TreeRows>) -> Context {
    Context {
        system: "system".into(),
        tenant: "tenant".into(),
        tree,
        dimension: 1024,
        key: table.primary_key.clone(),
        surface: None,
    }
}

/// A file and a table, compiled; panics with the error's own words.
pub(crate) fn compile(toml: &str, table: &Table, tree: Option<TreeRows>) -> Program {
    let file = MigrationFile::parse("notes.toml", toml).unwrap_or_else(|error| panic!("{error}"));
    Program::compile(&file, table, context(table, tree)).unwrap_or_else(|error| panic!("{error}"))
}

/// The words of the error that parsing or compiling ends with.
pub(crate) fn refusal(toml: &str, table: &Table) -> String {
    let program = MigrationFile::parse("notes.toml", toml)
        .and_then(|file| Program::compile(&file, table, context(table, Some(vec![]))));
    match program {
        Ok(_) => panic!("this was accepted:\n{toml}"),
        Err(error) => error.to_string(),
    }
}

/// A row of one key.
pub(crate) fn row(key: &str, values: Vec<Value>) -> SourceRow {
    SourceRow { key: vec![key.into()], values }
}

/// Text.
pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// A moment from RFC 3339.
pub(crate) fn at(text: &str) -> Moment {
    Moment::from_timestamp(text.parse().expect("RFC 3339"))
}

/// `mem.mem_item` with the columns a test speaks of, each with its type and value, through the guide's preset. What a
/// row needs beside them (content, role, topic, project) is filled in when the test does not speak of it.
pub(crate) fn guide(columns: &[(&str, &str, Value)]) -> Result<Mapped, Reject> {
    let mut columns = columns.to_vec();
    let needs: [(&[&str], Value); 4] = [
        (&["memory_text", "content"], text("Rotate the keys.")),
        (&["agent_role", "agent"], text("developer")),
        (&["layer", "type"], text("security")),
        (&["project_id", "project"], Value::Int(42)),
    ];
    for (names, value) in needs {
        if !columns.iter().any(|(name, ..)| names.contains(name)) {
            let declared = if names[0] == "project_id" { "integer" } else { "text" };
            columns.push((names[0], declared, value));
        }
    }
    columns.insert(0, ("id", "bigint", Value::Int(7)));
    let shape: Vec<(&str, &str)> = columns.iter().map(|(name, declared, _)| (*name, *declared)).collect();
    let table = table("mem.mem_item", &shape);
    let program = compile("name = \"agency\"\n[source]\nurl = \"store\"\npreset = \"pgmnemo-guide\"\n", &table, None);
    program.map(&row("7", columns.into_iter().map(|(.., value)| value).collect()))
}

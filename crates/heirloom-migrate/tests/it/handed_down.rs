//! Nothing is lost on the way: whatever a table's columns are called and hold, each row of it is either in the store or
//! set aside, and can be built again from there byte for byte.
//!
//! The source is asked by plain queries for the text it prints, and so is the store; no code of the migrator reads either.

use std::collections::BTreeMap;
use std::fmt;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::handed_values::{NEEDED, TYPES, brief, names, quoted, toml, value};
use crate::support::Ground;

/// A table of any columns, its rows, and a file for it.
#[derive(Clone)]
struct Case {
    table: &'static str,
    /// `id`, or `id` and `id2`, with their types.
    key: Vec<(&'static str, &'static str)>,
    /// The first is the content.
    columns: Vec<(String, &'static str)>,
    /// Key and cells.
    rows: Vec<(Vec<String>, Vec<Option<String>>)>,
    key_first: bool,
    rest: &'static str,
    chunk_rows: u64,
    /// Which columns the fields below take.
    picks: Vec<Option<Index>>,
    words: Vec<&'static str>,
}

/// A field, the types it may come from, and how the file says it.
const FIELDS: [(&str, &[&str], &str); 13] = [
    ("topic", &["text", "varchar", "character", "hand", "integer", "uuid", "boolean"], "from = COL, otherwise = WORD"),
    (
        "source_run_id",
        &["text", "varchar", "numeric", "double", "json", "inet", "date"],
        "from = COL, otherwise = WORD",
    ),
    ("source_task_id", &[""], "expr = SQL"),
    ("metadata", &["json", "text", "integer", "bytea", "double", "interval"], "merge = [COL]"),
    ("propagation", &["json", "text[]"], "from = COL, otherwise = WORD"),
    ("created_at", &["timestamptz"], "from = COL, otherwise = WORD"),
    ("valid_from", &["timestamp"], "from = COL, otherwise = WORD, zone = \"Europe/Zurich\""),
    ("embedding", &["vector", "halfvec"], "from = COL, model = \"tiny\", otherwise = WORD"),
    ("importance", &["smallint", "numeric"], "from = COL, otherwise = WORD"),
    ("confidence", &["real", "double"], "from = COL, otherwise = WORD"),
    ("pin", &["boolean"], "from = COL, otherwise = WORD"),
    ("project_id", &["bigint", "integer"], "from = COL, otherwise = WORD"),
    ("state", &["hand_mood", "text"], "from = COL, values = { sad = \"draft\" }, otherwise = WORD"),
];

impl fmt::Debug for Case {
    /// The file and the beginning of each cell; the seed makes the rest again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in chunks of {}, {:?}", self.table, self.chunk_rows, self.all())?;
        for (key, cells) in &self.rows {
            let key: Vec<String> = key.iter().map(|key| brief(key)).collect();
            let cells: Vec<String> =
                cells.iter().map(|cell| cell.as_deref().map_or_else(|| "NULL".to_owned(), brief)).collect();
            write!(f, "; ({}) {}", key.join(", "), cells.join(", "))?;
        }
        write!(f, "; {:?}", self.file("hand"))
    }
}

impl Case {
    /// The migration file. The plan's name tells the cases of one store apart.
    fn file(&self, name: &str) -> String {
        let mut map = String::new();
        for ((field, types, spec), (pick, word)) in FIELDS.iter().zip(self.picks.iter().zip(&self.words)) {
            let fit: Vec<&String> = self
                .columns
                .iter()
                .filter(|(_, ty)| {
                    types.iter().any(|prefix| ty.starts_with(prefix)) && (spec.contains("zone") || *ty != "timestamp")
                })
                .filter(|(_, ty)| ty.ends_with("[]") == types.contains(&"text[]") || types.contains(&""))
                .map(|(column, _)| column)
                .collect();
            let Some(column) = pick.filter(|_| !fit.is_empty()).map(|pick| *pick.get(&fit)) else { continue };
            let spec = spec.replace("WORD", &toml(word)).replace("SQL", &toml(&format!("{}::text", quoted(column))));
            map.push_str(&format!("{field} = {{ {} }}\n", spec.replace("COL", &toml(column))));
        }
        let key: Vec<String> = self.key.iter().map(|(column, _)| toml(column)).collect();
        format!(
            "name = \"{name}\"\n[source]\nurl = \"store\"\ntable = {table}\nkey = [{key}]\n[namespace]\n\
             template = \"custom:{name}\"\n[keep]\nrest = \"{rest}\"\n[reject]\nbudget = \"100%\"\n\
             [map]\nkind = {{ value = \"fact\" }}\ncontent = {content}\n{map}",
            table = toml(self.table),
            key = key.join(", "),
            rest = self.rest,
            content = toml(&self.columns[0].0),
        )
    }

    /// Every column in the table's order, with its type.
    fn all(&self) -> Vec<(&str, &'static str)> {
        let key = self.key.iter().map(|(column, ty)| (*column, *ty));
        let columns = self.columns.iter().map(|(column, ty)| (column.as_str(), *ty));
        if self.key_first { key.chain(columns).collect() } else { columns.chain(key).collect() }
    }

    /// The table with its rows.
    async fn make(&self, client: &heirloom_engine::Client) {
        let table = quoted(self.table);
        let all = self.all();
        let columns: Vec<String> = all.iter().map(|(column, ty)| format!("{} {ty}", quoted(column))).collect();
        let key: Vec<&str> = self.key.iter().map(|(column, _)| *column).collect();
        let sql = format!(
            "drop table if exists {table}; create table {table} ({}, primary key ({}))",
            columns.join(", "),
            key.join(", ")
        );
        client.batch_execute(&sql).await.unwrap();
        let values: Vec<Vec<Option<&str>>> =
            (0..all.len()).map(|at| self.rows.iter().map(|row| self.cell(row, at)).collect()).collect();
        let parameters: Vec<String> = (1..=all.len()).map(|n| format!("${n}::text[]")).collect();
        let casts: Vec<String> = all.iter().enumerate().map(|(n, (_, ty))| format!("c{n}::{ty}")).collect();
        let aliases: Vec<String> = (0..all.len()).map(|n| format!("c{n}")).collect();
        let insert = format!(
            "insert into {table} select {} from unnest({}) as u({}) on conflict do nothing",
            casts.join(", "),
            parameters.join(", "),
            aliases.join(", ")
        );
        let values: Vec<&(dyn postgres_types::ToSql + Sync)> =
            values.iter().map(|column| column as &(dyn postgres_types::ToSql + Sync)).collect();
        client.execute(&insert, &values).await.expect("the values are of their types");
    }

    fn cell<'a>(&self, (key, cells): &'a (Vec<String>, Vec<Option<String>>), at: usize) -> Option<&'a str> {
        let at = if self.key_first { at } else { (at + key.len()) % (key.len() + cells.len()) };
        if at < key.len() { Some(&key[at]) } else { cells[at - key.len()].as_deref() }
    }
}

fn case() -> impl Strategy<Value = Case> {
    let content =
        select(vec!["text", "text", "varchar(12)", "character(6)", "hand_label", "hand_mood", "json", "integer"]);
    let types = vec(select(TYPES.to_vec()), 2..11);
    let key = select(vec![
        vec!["bigint"],
        vec!["text"],
        vec!["uuid"],
        vec!["numeric"],
        vec!["timestamptz"],
        vec!["text", "integer"],
    ]);
    (content, types, key)
        .prop_flat_map(|(content, types, key)| {
            let types: Vec<&'static str> = std::iter::once(content).chain(types).collect();
            let cells: Vec<_> = types
                .iter()
                .enumerate()
                .map(|(at, ty)| option::weighted(if at == 0 { 0.95 } else { 0.85 }, value(ty)))
                .collect();
            let keys: Vec<_> =
                key.iter().map(|ty| value(ty).prop_filter("fits an index", |text| text.len() < 600)).collect();
            (names(types.len()), Just(types), Just(key), vec((keys, cells), 1..18))
        })
        .prop_flat_map(|(names, types, key, rows)| {
            let columns: Vec<_> = names.into_iter().zip(types).collect();
            let key: Vec<_> = ["id", "id2"].into_iter().zip(key).collect();
            (
                (
                    select(vec!["hand", "We\"ird; --", "Select", "h.a.n.d", "\"q\""]),
                    Just(key),
                    Just(columns),
                    Just(rows),
                ),
                (any::<bool>(), select(vec!["origin", "metadata"]), 5..16_u64),
                vec(option::of(any::<Index>()), FIELDS.len()),
                vec(select(vec!["keep", "keep", "keep", "reject"]), FIELDS.len()),
            )
        })
        .prop_map(|((table, key, columns, rows), (key_first, rest, chunk_rows), picks, words)| Case {
            table,
            key,
            columns,
            rows,
            key_first,
            rest,
            chunk_rows,
            picks,
            words,
        })
}

/// A row by its key: column to the text the server prints.
type Rows = BTreeMap<Vec<String>, BTreeMap<String, Option<String>>>;

/// What the source prints.
async fn printed(client: &heirloom_engine::Client, case: &Case) -> Rows {
    let all = case.all();
    let list: Vec<String> = all.iter().map(|(column, _)| format!("{}::text", quoted(column))).collect();
    let sql = format!("select {} from {}", list.join(", "), quoted(case.table));
    let mut rows = Rows::new();
    for row in client.query(&sql, &[]).await.unwrap() {
        let cells: BTreeMap<String, Option<String>> =
            all.iter().enumerate().map(|(at, (column, _))| ((*column).to_owned(), row.get(at))).collect();
        let key = case.key.iter().map(|(column, _)| cells[*column].clone().unwrap()).collect();
        rows.insert(key, cells);
    }
    rows
}

/// What is kept of each row: the origin's or the reject's members, and what the memory itself carries.
async fn kept(client: &heirloom_engine::Client, case: &Case, from: &str, run: &str) -> Rows {
    let mut rows = Rows::new();
    let members = "select k.source_key, e.key, case json_typeof(e.value) when 'object' then e.value ->> '$real' else e.value #>> '{}' end";
    let sql = format!("{members} from {from} k, json_each(k.source_row) e where k.run_id = $1::text::uuid");
    for row in client.query(&sql, &[&run]).await.unwrap() {
        let key: Vec<String> = serde_json::from_str(row.get(0)).unwrap();
        let there = rows.entry(key).or_default().insert(row.get(1), row.get(2));
        assert!(there.is_none(), "a column is kept twice");
    }
    if from == "heirloom.origin" {
        let sql = "select o.source_key, m.content, m.embedding::text from heirloom.origin o \
                   join heirloom.memory m on m.id = o.id and m.namespace = o.namespace where o.run_id = $1::text::uuid";
        for row in client.query(sql, &[&run]).await.unwrap() {
            let cells = rows.entry(serde_json::from_str(row.get(0)).unwrap()).or_default();
            cells.entry(case.columns[0].0.clone()).or_insert_with(|| row.get(1));
            // At most one column can be left out of the origin for the embedding's sake.
            let gone: Vec<_> = case.columns.iter().filter(|(column, _)| !cells.contains_key(column)).collect();
            if let [(column, ty)] = gone[..]
                && let Some(embedding) = row.get::<_, Option<String>>(2)
            {
                // The store pads a narrow vector with zeros.
                let mut elements: Vec<&str> = embedding.trim_matches(['[', ']']).split(',').collect();
                elements.truncate(if *ty == "vector(3)" { 3 } else { 4 });
                cells.insert(column.clone(), Some(format!("[{}]", elements.join(","))));
            }
        }
    }
    rows
}

/// Types whose verbatim form has another spelling than the server's, which the server must read as the same.
fn respelt(ty: &str) -> bool {
    ty.ends_with("[]")
        || ["real", "double precision", "interval", "halfvec(2)"].contains(&ty)
        || ty.starts_with("vector")
}

/// The kept text, read and printed by the server where it has another spelling.
async fn respell(client: &heirloom_engine::Client, case: &Case, rows: &mut Rows) -> Result<(), TestCaseError> {
    for (column, ty) in case.all().into_iter().filter(|(_, ty)| respelt(ty)) {
        let texts: Vec<Option<String>> = rows.values().map(|cells| cells.get(column).cloned().flatten()).collect();
        let sql = format!("select t::{ty}::text from unnest($1::text[]) with ordinality as u(t, n) order by n");
        let printed = client.query(&sql, &[&texts]).await;
        let printed = printed
            .map_err(|error| TestCaseError::fail(format!("column {column:?} ({ty}): {:?}", error.as_db_error())))?;
        for (cells, row) in rows.values_mut().zip(printed) {
            if let Some(cell) = cells.get_mut(column) {
                *cell = row.get(0);
            }
        }
    }
    Ok(())
}

/// Migrates a case and says what was lost.
async fn try_case(ground: &Ground, case: &Case, name: &str) -> Result<(), TestCaseError> {
    let fail = |what: String| TestCaseError::fail(what);
    {
        let client = ground.db.database().client().await.unwrap();
        client
            .batch_execute("set datestyle = 'ISO'; set timezone = 'UTC'; set intervalstyle = 'postgres'; set extra_float_digits = 1")
            .await
            .unwrap();
        case.make(&client).await;
    }
    let plan = ground.plan(&case.file(name), case.chunk_rows).await.map_err(|error| fail(format!("plan: {error}")))?;
    let applied = ground.apply(&plan).await.map_err(|error| fail(format!("apply: {error:?}")))?;
    let verified = if applied.inserted == 0 { None } else { Some(ground.verify(&plan).await) };
    if let Some(verified) = verified {
        let verified = verified.map_err(|error| fail(format!("verify: {error}")))?;
        prop_assert!(verified.holds, "{:?}", verified.differences);
        prop_assert_eq!((verified.equal, verified.rejected), (applied.inserted, applied.rejected));
    }
    let client = ground.db.database().client().await.unwrap();
    client
        .batch_execute(
            "set datestyle = 'ISO'; set timezone = 'UTC'; set intervalstyle = 'postgres'; set extra_float_digits = 1",
        )
        .await
        .unwrap();
    let source = printed(&client, case).await;
    let run = plan.run_id.to_string();
    let mut found = kept(&client, case, "heirloom.origin", &run).await;
    let stored = found.len();
    let aside = kept(&client, case, "heirloom_migrate.reject", &run).await;
    prop_assert_eq!(stored + aside.len(), source.len(), "every row is stored or set aside");
    prop_assert_eq!((applied.inserted, applied.rejected), (stored as u64, aside.len() as u64));
    found.extend(aside);
    prop_assert_eq!(found.len(), source.len(), "and none is both");
    respell(&client, case, &mut found).await?;
    for (key, cells) in &source {
        let back = found.get(key).ok_or_else(|| fail(format!("row {key:?} is gone")))?;
        for (column, ty) in case.all() {
            let said =
                |cells: &BTreeMap<String, Option<String>>| cells.get(column).map(|cell| cell.as_deref().map(brief));
            prop_assert!(
                back.get(column) == cells.get(column),
                "column {column:?} ({ty}) of row {key:?}: {:?} came back as {:?}",
                said(cells),
                said(back)
            );
        }
        prop_assert!(
            back.keys().all(|kept| cells.contains_key(kept) || kept.ends_with("$expr0")),
            "nothing else is kept"
        );
    }
    client.batch_execute(&format!("drop table {}", quoted(case.table))).await.unwrap();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_any_table_can_be_built_again_from_the_store() {
    let ground = Ground::new(NEEDED).await;
    let handle = tokio::runtime::Handle::current();
    let tried = std::sync::atomic::AtomicUsize::new(0);
    tokio::task::block_in_place(|| {
        TestRunner::new(config(10, file!()))
            .run(&case(), |case| {
                let name = format!("hand-{}", tried.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
                handle.block_on(try_case(&ground, &case, &name))
            })
            .unwrap_or_else(|error| panic!("{error}"));
    });

    ground.close().await;
}

/// Few cases, each of which is a migration; `PROPTEST_CASES` asks for more. A seed that failed is kept beside the tests and
/// tried first the next time.
pub(crate) fn config(cases: u32, file: &'static str) -> Config {
    let usual = Config::default();
    let cases = if usual.cases == 256 { cases } else { usual.cases };
    Config { cases, source_file: Some(file), max_shrink_time: 15_000, ..usual }
}

//! Nothing is lost on the way out of a SQLite file either, where every cell has a type of its own and text may be any bytes.
//!
//! The file is read by plain queries and so is the store; no code of the migrator reads either.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use heirloom_migrate::source;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{TestCaseError, TestRunner};
use rusqlite::Connection;
use rusqlite::types::{Value as Stored, ValueRef};
use serde_json::Value as Json;

use crate::handed_down::config;
use crate::handed_values::{brief, hex, names, quoted, text, toml};
use crate::support::Ground;

/// One cell as written; the column's affinity may store it as another class.
#[derive(Clone)]
enum Cell {
    Plain(Stored),
    /// Text of these bytes, whatever they are.
    Text(Vec<u8>),
}

/// How a table tells its rows apart: declared type of the key, and what stands behind the table.
const KEYS: [(&[(&str, &str)], &str); 7] = [
    (&[("id", "integer primary key")], ""),
    (&[("id", "text not null primary key")], "without rowid"),
    (&[("id", "not null primary key")], ""),
    (&[("id", "blob not null primary key")], "without rowid"),
    (&[("id", "real not null primary key")], ""),
    (&[("id", "not null"), ("id2", "text not null collate nocase")], "primary key"),
    (&[], ""),
];

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(Stored::Text(text)) => f.write_str(&brief(text)),
            Self::Plain(Stored::Blob(bytes)) => write!(f, "blob {}", brief(&hex(bytes))),
            Self::Plain(value) => write!(f, "{value:?}"),
            Self::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => f.write_str(&brief(text)),
                Err(_) => write!(f, "text {}", brief(&hex(bytes))),
            },
        }
    }
}

#[derive(Clone)]
struct Case {
    key: (&'static [(&'static str, &'static str)], &'static str),
    /// The first is the content.
    columns: Vec<(String, &'static str)>,
    rows: Vec<(Vec<Cell>, Vec<Cell>)>,
    fields: Vec<bool>,
    chunk_rows: u64,
    rest: &'static str,
}

fn cell() -> BoxedStrategy<Cell> {
    prop_oneof![
        2 => Just(Cell::Plain(Stored::Null)),
        2 => prop_oneof![any::<i64>(), -5..5_i64].prop_map(|n| Cell::Plain(Stored::Integer(n))),
        2 => prop_oneof![any::<f64>(), select(vec![-0.0, 5.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 5e-324, 1e15, 0.1])]
            .prop_map(|x| Cell::Plain(Stored::Real(x))),
        6 => text().prop_map(|text| Cell::Text(text.into_bytes())),
        1 => text().prop_map(|text| Cell::Text(format!("{text}\0{text}").into_bytes())),
        1 => select(vec!["5", "5.0", "-0", "1e3", " 7 ", "0x10", "x'00'", "t'ff'", "'", "nan", "9223372036854775808"])
            .prop_map(|text| Cell::Text(text.into())),
        1 => vec(any::<u8>(), 0..12).prop_map(Cell::Text),
        2 => vec(any::<u8>(), 0..12).prop_map(|bytes| Cell::Plain(Stored::Blob(bytes))),
    ]
    .boxed()
}

fn case() -> impl Strategy<Value = Case> {
    let types = vec(
        select(vec!["", "text", "integer", "real", "blob", "numeric", "varchar(3)", "json", "datetime", "bool"]),
        1..7,
    );
    (types, select(KEYS.to_vec())).prop_flat_map(|(types, key)| {
        let keys = vec(cell().prop_filter("a key", |cell| !matches!(cell, Cell::Plain(Stored::Null))), key.0.len());
        let rows = vec((keys, vec(cell(), types.len())), 1..24);
        (names(types.len()), rows, vec(any::<bool>(), 6), 6..16_u64, select(vec!["origin", "metadata"])).prop_map(
            move |(names, rows, fields, chunk_rows, rest)| {
                // SQLite's names do not tell case apart.
                let mut folded = std::collections::BTreeSet::new();
                let columns = names
                    .into_iter()
                    .enumerate()
                    .map(|(at, name)| if folded.insert(name.to_lowercase()) { name } else { format!("other {at}") })
                    .zip(types.clone())
                    .collect();
                Case { key, columns, rows, fields, chunk_rows, rest }
            },
        )
    })
}

impl fmt::Debug for Case {
    /// The file and the beginning of each cell; the seed makes the rest again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} in chunks of {}, {:?}", self.key.0, self.key.1, self.chunk_rows, self.columns)?;
        for (key, cells) in &self.rows {
            // Never over several lines, whatever the caller asks for: a case is one line of a message.
            let cells: Vec<String> = key.iter().chain(cells).map(|cell| format!("{cell:?}")).collect();
            write!(f, "; {}", cells.join(", "))?;
        }
        write!(f, "; {:?}", self.file("hand", "sqlite:hand.db"))
    }
}

impl Case {
    fn key(&self) -> Vec<&'static str> {
        if self.key.0.is_empty() { vec!["rowid"] } else { self.key.0.iter().map(|(name, _)| *name).collect() }
    }

    fn file(&self, name: &str, url: &str) -> String {
        let mut map = String::new();
        let fields = [
            ("topic", "from = COL, otherwise = \"keep\""),
            ("source_run_id", "from = COL, otherwise = \"reject\""),
            ("metadata", "merge = [COL]"),
            ("created_at", "from = COL, epoch = \"ms\", otherwise = \"keep\""),
            ("embedding", "from = COL, otherwise = \"keep\""),
            ("confidence", "from = COL, otherwise = \"keep\""),
        ];
        for (at, (field, spec)) in fields.iter().enumerate().filter(|(at, _)| self.fields[*at]) {
            let (column, _) = &self.columns[(at + 1) % self.columns.len()];
            map.push_str(&format!("{field} = {{ {} }}\n", spec.replace("COL", &toml(column))));
        }
        let key: Vec<String> = self.key().iter().map(|column| toml(column)).collect();
        format!(
            "name = \"{name}\"\n[source]\nurl = {}\ntable = \"hand\"\nkey = [{}]\n[namespace]\n\
             template = \"custom:{name}\"\n[keep]\nrest = \"{}\"\n[reject]\nbudget = \"100%\"\n\
             [map]\nkind = {{ value = \"fact\" }}\ncontent = {}\n{map}",
            toml(url),
            key.join(", "),
            self.rest,
            toml(&self.columns[0].0),
        )
    }

    /// The file; rows whose key is there or does not fit are left out, as SQLite does.
    fn make(&self, path: &std::path::Path) -> Connection {
        let db = Connection::open(path).unwrap();
        let (key, behind) = self.key;
        let mut parts: Vec<String> = key.iter().map(|(name, ty)| format!("{name} {ty}")).collect();
        parts.extend(self.columns.iter().map(|(name, ty)| format!("{} {ty}", quoted(name))));
        let mut options = behind;
        if behind == "primary key" {
            parts.push("primary key (id, id2)".to_owned());
            options = "";
        }
        db.execute_batch(&format!("create table hand ({}) {options}", parts.join(", "))).unwrap();
        for (key, cells) in &self.rows {
            let (mut places, mut values) = (Vec::new(), Vec::new());
            for cell in key.iter().chain(cells) {
                let (place, value) = match cell {
                    Cell::Plain(value) => ("?", value.clone()),
                    Cell::Text(bytes) => ("cast(? as text)", Stored::Blob(bytes.clone())),
                };
                places.push(place);
                values.push(value);
            }
            let insert = format!("insert or ignore into hand values ({})", places.join(", "));
            // A row number that is no integer is refused, and so is a key that became NULL.
            if let Err(error) = db.execute(&insert, rusqlite::params_from_iter(values)) {
                assert!(error.to_string().contains("mismatch"), "{error}");
            }
        }
        db
    }
}

/// Class and bytes of a cell.
type Shown = (&'static str, String);
type Rows = BTreeMap<Vec<String>, BTreeMap<String, Shown>>;

fn shown(value: ValueRef<'_>) -> Shown {
    match value {
        ValueRef::Null => ("null", String::new()),
        ValueRef::Integer(number) => ("integer", number.to_string()),
        ValueRef::Real(number) => ("real", format!("{:x}", number.to_bits())),
        ValueRef::Text(bytes) => ("text", hex(bytes)),
        ValueRef::Blob(bytes) => ("blob", hex(bytes)),
    }
}

/// What a member of the origin stands for.
fn stands_for(json: &Json) -> Option<Shown> {
    let base64 = |json: &Json| STANDARD.decode(json.as_str()?).ok();
    Some(match json {
        Json::Null => ("null", String::new()),
        Json::String(text) => ("text", hex(text.as_bytes())),
        Json::Number(number) => match number.to_string() {
            text if text.contains(['.', 'e', 'E']) => ("real", format!("{:x}", text.parse::<f64>().ok()?.to_bits())),
            text => ("integer", text),
        },
        Json::Object(tagged) => match tagged.iter().next()? {
            (tag, bytes) if tag == "$blob" => ("blob", hex(&base64(bytes)?)),
            (tag, bytes) if tag == "$text" => ("text", hex(&base64(bytes)?)),
            (tag, word) if tag == "$real" => {
                let infinity = if word == "Infinity" { f64::INFINITY } else { f64::NEG_INFINITY };
                ("real", format!("{:x}", infinity.to_bits()))
            }
            _ => return None,
        },
        _ => return None,
    })
}

async fn kept(client: &heirloom_engine::Client, sql: &str, run: &str) -> Rows {
    let mut rows = Rows::new();
    for row in client.query(sql, &[&run]).await.unwrap() {
        let object: serde_json::Map<String, Json> = serde_json::from_str(row.get(1)).unwrap();
        let cells = object
            .iter()
            .map(|(column, json)| (column.clone(), stands_for(json).unwrap_or_else(|| panic!("{column}: {json}"))))
            .collect();
        let before = rows.insert(serde_json::from_str(row.get(0)).unwrap(), cells);
        assert!(before.is_none(), "a row is there twice");
    }
    rows
}

async fn try_case(ground: &Ground, case: &Case, name: &str) -> Result<(), TestCaseError> {
    let fail = |what: String| TestCaseError::fail(what);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hand.db");
    let db = case.make(&path);
    let source_rows: usize = db.query_row("select count(*) from hand", [], |row| row.get(0)).unwrap();
    if source_rows == 0 {
        return Ok(());
    }
    let url = format!("sqlite:{}", path.display());
    let source = source::open(&url, ground.db.database()).await.unwrap();
    let plan = ground.plan_from(source.as_ref(), &case.file(name, &url), case.chunk_rows).await;
    let plan = plan.map_err(|error| fail(format!("plan: {error}")))?;
    let applied = ground.apply_from(source.as_ref(), &plan).await.map_err(|error| fail(format!("apply: {error:?}")))?;
    if applied.inserted > 0 {
        let verified =
            ground.verify_from(source.as_ref(), &plan).await.map_err(|error| fail(format!("verify: {error}")))?;
        prop_assert!(verified.holds, "{:?}", verified.differences);
        prop_assert_eq!((verified.equal, verified.rejected), (applied.inserted, applied.rejected));
    }
    let client = ground.db.database().client().await.unwrap();
    let run = plan.run_id.to_string();
    let stored = "select o.source_key, o.source_row::text from heirloom.origin o \
                  join heirloom.memory m on m.id = o.id and m.namespace = o.namespace where o.run_id = $1::text::uuid";
    let mut found = kept(&client, stored, &run).await;
    let stored = found.len();
    let aside = "select source_key, source_row::text from heirloom_migrate.reject where run_id = $1::text::uuid";
    let aside = kept(&client, aside, &run).await;
    prop_assert_eq!(stored + aside.len(), source_rows, "every row is stored or set aside");
    prop_assert_eq!((applied.inserted, applied.rejected), (stored as u64, aside.len() as u64));
    found.extend(aside);
    prop_assert_eq!(found.len(), source_rows, "and none is both");

    // Keys are written in a text of Heirloom's own; rows are matched by what they hold instead, a row number being its key.
    let of_rowid = case.key.0.is_empty();
    let mut back: Vec<_> =
        found.into_iter().map(|(key, cells)| (if of_rowid { key } else { Vec::new() }, cells)).collect();
    let columns: Vec<String> = case
        .key
        .0
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .chain(case.columns.iter().map(|(name, _)| name.clone()))
        .collect();
    let list: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
    let rowid = if of_rowid { "rowid" } else { "null" };
    let mut statement = db.prepare(&format!("select {rowid}, {} from hand", list.join(", "))).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut there = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let key: Option<i64> = row.get(0).unwrap();
        let cells: BTreeMap<String, Shown> =
            columns.iter().enumerate().map(|(at, name)| (name.clone(), shown(row.get_ref(at + 1).unwrap()))).collect();
        there.push((key.map(|key| key.to_string()).into_iter().collect::<Vec<_>>(), cells));
    }
    back.sort();
    there.sort();
    if let Some((back, there)) = back.iter().zip(&there).find(|(back, there)| back != there) {
        let differing = there.1.iter().filter(|(column, shown)| back.1.get(*column) != Some(shown));
        let said = |shown: Option<&Shown>| shown.map(|(class, bytes)| format!("{class} {}", brief(bytes)));
        let differing: Vec<_> =
            differing.map(|(column, shown)| (column, said(Some(shown)), said(back.1.get(column)))).collect();
        return Err(fail(format!("a row came back with other columns or cells: {differing:?}")));
    }
    prop_assert_eq!(back.len(), there.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_any_sqlite_table_can_be_built_again_from_the_store() {
    let ground = Ground::new("select 1").await;
    let handle = tokio::runtime::Handle::current();
    let tried = std::sync::atomic::AtomicUsize::new(0);
    tokio::task::block_in_place(|| {
        TestRunner::new(config(9, file!()))
            .run(&case(), |case| {
                let name = format!("hand-{}", tried.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
                handle.block_on(try_case(&ground, &case, &name))
            })
            .unwrap_or_else(|error| panic!("{error}"));
    });
    ground.close().await;
}

//! What a plan says will be set aside is what apply sets aside, row by row and reason by reason, on tables of any types, any
//! values and any keys that stand still; and what is not set aside is there.

use std::collections::{BTreeMap, HashSet};

use heirloom_migrate::apply;
use heirloom_migrate::failpoint::Failpoints;
use heirloom_migrate::file::MigrationFile;
use heirloom_migrate::mapping::{Context, Program, RejectCode};
use heirloom_migrate::plan::Plan;
use heirloom_migrate::source::{KeyRange, Read};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use crate::mapping_property::{FIELDS, WORDS};
use crate::support::Ground;

/// Types with values that mean something to some verb or to none, as PostgreSQL reads them.
const TYPES: &[(&str, &[&str])] = &[
    ("boolean", &["true", "false"]),
    ("bigint", &["0", "5", "11", "-1", "9223372036854775807", "1700000000000"]),
    ("numeric", &["0.5", "NaN", "Infinity", "99999999999999999999", "1e-30", "7.0"]),
    ("real", &["0.5", "NaN", "-0", "3.4e38", "1e-45"]),
    ("double precision", &["0.25", "Infinity", "-1", "1e300", "5"]),
    ("text", WORDS.split_at(WORDS.len() - 1).0),
    ("bytea", &["\\x", "\\x00ff", "\\x0000803f00000040"]),
    (
        "json",
        &[
            "null",
            "{\"a\": 1.00, \"a\": 2}",
            "\"\\ud800\"",
            "\"\\u0000\"",
            "1e400",
            "-0",
            "[1, 1E5]",
            "{\"\\u0000\": 1}",
            "1e200000",
        ],
    ),
    ("jsonb", &["null", "{\"a\": 1.00}", "1e400", "[]"]),
    (
        "timestamptz",
        &["2026-01-01 00:00Z", "infinity", "-infinity", "4714-11-24 00:00 BC", "294276-12-31 23:59:59.999999Z"],
    ),
    ("timestamp", &["2025-11-02 01:30", "2025-03-09 02:30", "infinity", "294276-12-31 23:59", "4713-01-01 00:00 BC"]),
    ("date", &["2026-02-01", "infinity", "4713-01-01 BC", "5874897-12-31"]),
    ("interval", &["30 days", "-1 year", "178000000 years", "0"]),
    ("uuid", &["414f48d3-296c-5918-8c6b-e694345dee12"]),
    ("vector", &["[1,2,3]", "[0,0,0,0]", "[1,2,3,4,5]", "[1,0]", "[1e38,-1e38]", "[1,2,0,0,0,0]"]),
    ("text[]", &["{}", "{a,NULL}", "{1,2,3}"]),
    ("inet", &["10.0.0.1"]),
];

/// A key: the column, and its values in the order of the rows.
#[derive(Debug, Clone)]
enum Keys {
    /// Numbers, each once.
    Numbers,
    /// Words that nobody keeps unique.
    Words(Vec<String>),
    /// Uuids as text, where one may be spelt twice, and words that are none; the id of the memory.
    Uuids(Vec<String>),
}

#[derive(Debug, Clone)]
struct Case {
    keys: Keys,
    body: &'static str,
    column: &'static str,
    /// Body and cell of each row; none is NULL.
    rows: Vec<(Option<String>, Option<String>)>,
    field: &'static str,
    rest: &'static str,
}

fn cell(values: &'static [&'static str]) -> BoxedStrategy<Option<String>> {
    prop_oneof![1 => Just(None), 6 => select(values).prop_map(|value| Some(value.to_owned()))].boxed()
}

fn keys(count: usize) -> BoxedStrategy<Keys> {
    let uuid = (0..4_u128, 0..4_usize).prop_map(|(n, spelling)| {
        let uuid = uuid::Uuid::from_u128((0xabcd << 112) + n).to_string();
        match spelling {
            0 => uuid.to_uppercase(),
            1 => uuid.replace('-', ""),
            2 => format!("no uuid {n}"),
            _ => uuid,
        }
    });
    let distinct = move |mut keys: Vec<String>| {
        keys.sort();
        keys.dedup();
        keys
    };
    prop_oneof![
        4 => Just(Keys::Numbers),
        1 => prop::collection::vec("[ab]", count).prop_map(Keys::Words),
        2 => prop::collection::vec(uuid, count).prop_map(move |keys| Keys::Uuids(distinct(keys))),
    ]
    .boxed()
}

fn case() -> impl Strategy<Value = Case> {
    const BODIES: &[&str] = &["text", "json", "text[]", "bytea"];
    (0..TYPES.len(), select(BODIES), 1..12_usize).prop_flat_map(|(ty, body, count)| {
        let (column, values) = TYPES[ty];
        let bodies = TYPES.iter().find(|(name, _)| *name == body).map(|(_, values)| *values).unwrap();
        let rows = prop::collection::vec((cell(bodies), cell(values)), count);
        (keys(count), rows, select(FIELDS.to_vec()), select(vec!["origin", "metadata"]))
            .prop_map(move |(keys, rows, field, rest)| Case { keys, body, column, rows, field, rest })
    })
}

impl Case {
    /// The ids of a memory are the case's own: one store holds them all.
    fn table(&self, number: u32) -> String {
        let literal = |text: &Option<String>| {
            text.as_ref().map_or_else(
                || "null".to_owned(),
                |text| format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            )
        };
        let (declared, keys): (&str, Vec<String>) = match &self.keys {
            Keys::Numbers => ("bigint primary key", (1..=self.rows.len()).map(|n| n.to_string()).collect()),
            Keys::Words(words) => ("text", words.clone()),
            Keys::Uuids(uuids) => {
                let own = |key: &String| {
                    key.replace("abcd0000", &format!("abcd{number:04x}"))
                        .replace("ABCD0000", &format!("ABCD{number:04X}"))
                };
                ("text primary key", uuids.iter().map(own).collect())
            }
        };
        let rows: Vec<String> = keys
            .iter()
            .zip(&self.rows)
            .map(|(key, (body, cell))| {
                let at = if cell.is_some() { "'2026-05-01 00:00Z'" } else { "null" };
                format!(
                    "('{key}', {}::{}, {}::{}, {at}::timestamptz)",
                    literal(body),
                    self.body,
                    literal(cell),
                    self.column
                )
            })
            .collect();
        format!(
            "drop schema if exists legacy cascade; create schema legacy;
             create table legacy.t (id {declared}, body {}, c {}, at timestamptz); insert into legacy.t values {}",
            self.body,
            self.column,
            rows.join(", ")
        )
    }

    fn file(&self, name: &str) -> String {
        let id = if matches!(self.keys, Keys::Uuids(_)) { "[id]\nfrom = \"key\"\n" } else { "" };
        format!(
            "name = \"{name}\"\n[source]\nurl = \"store\"\ntable = \"legacy.t\"\nkey = [\"id\"]\n\
             [namespace]\ntemplate = \"custom:all\"\n[keep]\nrest = \"{}\"\n{id}[reject]\nbudget = \"100%\"\n\
             [map]\ncontent = \"body\"\nkind = {{ value = \"fact\" }}\n{}\n",
            self.rest,
            self.field.replace("COL", "c")
        )
    }
}

type Reason = (String, Option<String>);

fn reason(code: RejectCode, field: Option<String>) -> Reason {
    (serde_json::to_value(code).unwrap().as_str().unwrap().to_owned(), field)
}

/// Every row that does not map, with its key and why, in their order.
async fn by_the_program(ground: &Ground, plan: &Plan) -> Vec<(Vec<String>, Reason)> {
    let file = MigrationFile::parse(&plan.file.path, &plan.file.text).unwrap();
    let context = Context {
        system: plan.source.identity.system.clone(),
        tenant: plan.tenant.clone(),
        tree: None,
        dimension: 4,
        key: plan.source.key.clone(),
        surface: None,
    };
    let program = Program::compile(&file, &plan.source.table, context).unwrap();
    let read = Read {
        relation: plan.source.relation.clone(),
        table: plan.source.table.clone(),
        key: plan.source.key.clone(),
        expressions: Vec::new(),
        range: KeyRange::default(),
        since: None,
        keys: None,
    };
    let (mut rejects, mut ids, mut keys) = (Vec::new(), HashSet::new(), HashSet::new());
    ground
        .source
        .scan(&read, &mut |row, _| {
            let is_new = ids.insert(program.id(&row.key));
            let why = match program.map(&row) {
                _ if !keys.insert(row.key.clone()) => reason(RejectCode::DuplicateKey, None),
                _ if !is_new => reason(RejectCode::DuplicateKey, Some("id".into())),
                Err(reject) => reason(reject.code, reject.field),
                Ok(_) => return Ok(()),
            };
            rejects.push((row.key, why));
            Ok(())
        })
        .await
        .unwrap();
    rejects
}

/// What the ledger says was set aside and waits.
async fn set_aside(ground: &Ground, name: &str) -> BTreeMap<Vec<String>, Reason> {
    let rows = ground
        .one(&format!(
            "select coalesce(json_agg(json_build_array(r.source_key::json, r.code, r.field)), '[]')
               from heirloom_migrate.reject r join heirloom_migrate.run using (run_id) where name = '{name}' and r.state = 'open'"
        ))
        .await;
    let rows: Vec<(Vec<String>, String, Option<String>)> = serde_json::from_str(&rows).unwrap();
    rows.into_iter().map(|(key, code, field)| (key, (code, field))).collect()
}

async fn try_one(ground: &Ground, case: &Case, number: u32) -> Result<(), String> {
    let name = &format!("case-{number}");
    ground.sql(&case.table(number)).await;
    // What can never be cast is refused before any row.
    let Ok(plan) = ground.plan(&case.file(name), 3).await else { return Ok(()) };
    let all = by_the_program(ground, &plan).await;
    // What is set aside is kept once a key.
    let mut expected: BTreeMap<Vec<String>, Reason> = BTreeMap::new();
    for (key, why) in &all {
        expected.entry(key.clone()).or_insert_with(|| why.clone());
    }
    let applied = ground.apply(&plan).await.map_err(|error| error.to_string())?;
    let same = |what: &str, left: String, right: String| match left == right {
        true => Ok(()),
        false => Err(format!("{what}: {left} and {right}")),
    };
    same("rows set aside", format!("{expected:?}"), format!("{:?}", set_aside(ground, name).await))?;
    let (mut planned, mut met): (BTreeMap<Reason, u64>, BTreeMap<Reason, u64>) = Default::default();
    for reject in &plan.rejects {
        let why = reason(reject.code, reject.field.clone());
        let example = all.iter().any(|one| *one == (reject.example_key.clone(), why.clone()));
        same("the plan's example", format!("true {why:?}"), format!("{example} {why:?}"))?;
        *planned.entry(why).or_default() += reject.count;
    }
    all.iter().for_each(|(_, why)| *met.entry(why.clone()).or_default() += 1);
    same("reasons planned", format!("{planned:?}"), format!("{met:?}"))?;
    same("rejected", plan.counts.rejected.to_string(), applied.rejected.to_string())?;
    same("accepted", plan.counts.accepted.to_string(), applied.inserted.to_string())?;
    let counted = plan.namespaces.iter().map(|home| home.rows).sum::<u64>();
    same("in namespaces", plan.counts.accepted.to_string(), counted.to_string())?;
    if plan.counts.accepted > 0 {
        let verified = ground.verify(&plan).await.map_err(|error| error.to_string())?;
        same("differences", "[]".into(), format!("{:?}", verified.differences))?;
        same("verify's rejects", plan.counts.rejected.to_string(), verified.rejected.to_string())?;
    }
    let before = ground.versions().await;
    ground.apply(&plan).await.map_err(|error| error.to_string())?;
    same("versions after a second apply", before, ground.versions().await)?;
    same("what waits", format!("{expected:?}"), format!("{:?}", set_aside(ground, name).await))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_predicted_is_what_is_set_aside() {
    let ground = Ground::new("").await;
    let handle = tokio::runtime::Handle::current();
    let count = std::sync::atomic::AtomicU32::new(0);
    tokio::task::block_in_place(|| {
        let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
        runner
            .run(&case(), |case| {
                let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let found = handle.block_on(try_one(&ground, &case, number));
                prop_assert!(found.is_ok(), "{}\n{}\n{}", found.unwrap_err(), case.file("case"), case.table(number));
                Ok(())
            })
            .unwrap();
    });
    ground.close().await;
}

/// One uuid in two spellings, in chunks of their own: the first row is handed down and stays, and nothing that is asked for
/// afterwards puts the second in its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_spelling_of_an_id_never_takes_the_place_of_the_first() {
    const FIRST: &str = "ABCD0000-0000-0000-0000-000000000001";
    let ground = Ground::new(&format!(
        "create table note (id text primary key, body text);
         insert into note values ('{FIRST}', 'the first'), (lower('{FIRST}'), 'the second');
         insert into note select 'b' || substr(gen_random_uuid()::text, 2), 'another ' || g from generate_series(1, 7) g"
    ))
    .await;
    let file = "name = \"notes\"\n[source]\nurl = \"store\"\ntable = \"note\"\n[namespace]\ntemplate = \"custom:all\"\n\
                [id]\nfrom = \"key\"\n[reject]\nbudget = \"1\"\n[map]\ncontent = \"body\"\nkind = { value = \"fact\" }\n";
    let plan = ground.plan(file, 1).await.unwrap();
    let there = format!("select content from heirloom.memory where id = '{FIRST}'");
    let first = if plan.respelt == [[FIRST.to_lowercase()]] { "the first" } else { "the second" };
    assert_eq!((plan.respelt.len(), plan.counts.rejected), (1, 1));
    ground.apply(&plan).await.unwrap();
    assert_eq!(ground.one(&there).await, first);
    let verified = ground.verify(&plan).await.unwrap();
    assert!(verified.holds && verified.rejected == 1, "{:#?}", verified.differences);
    let retried =
        apply::retry(&plan, ground.source.as_ref(), &ground.store, None, Failpoints::default()).await.unwrap();
    assert_eq!((retried.tried, retried.handed_down, retried.still_rejected), (1, 0, 1));
    assert_eq!(ground.one(&there).await, first);
    ground.sql("update note set body = body || '!'").await;
    assert_eq!(ground.apply(&plan).await.unwrap().updated, 8);
    assert_eq!(ground.one(&there).await, format!("{first}!"));
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}

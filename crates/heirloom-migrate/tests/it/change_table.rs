//! Random histories of source and store against the table in `docs/reference/apply.md`, by a model of a few lines.

use std::collections::BTreeMap;

use heirloom_migrate::apply::{Options, Stop};
use heirloom_migrate::file::Budget;
use heirloom_migrate::plan::Plan;
use heirloom_store::{Forget, Revise, Scope, Transition};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::outbox::{following, settled};
use crate::support::Ground;

const KEYS: u64 = 6;

const FILE: &str = "name = \"notes\"\n[source]\nurl = \"store\"\ntable = \"note\"\nkey = [\"id\"]\n[namespace]\n\
    template = \"custom:all\"\n[map]\ncontent = \"body\"\nkind = { value = \"fact\" }\nstate = { value = \"canonical\" }\n\
    expires_at = \"ends\"\n";

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Inserts the source row or changes its text.
    Say(u64),
    Delete(u64),
    Edit(u64),
    Supersede(u64),
    Forget(u64),
    Lose(u64),
    Apply,
    /// Applies, and forgets what is deleted at the source.
    Propagate,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 1..=KEYS;
    prop_oneof![
        3 => key.clone().prop_map(Step::Say),
        1 => key.clone().prop_map(Step::Delete),
        2 => key.clone().prop_map(Step::Edit),
        1 => key.clone().prop_map(Step::Supersede),
        1 => key.clone().prop_map(Step::Forget),
        1 => key.prop_map(Step::Lose),
        3 => Just(Step::Apply),
        1 => Just(Step::Propagate),
    ]
}

/// What the table says of one row.
#[derive(Debug, Clone, Default)]
struct Row {
    /// What the source says.
    source: Option<String>,
    /// What the source said when the row was last written; gone when it was forgotten.
    written: Option<String>,
    /// What the store says, and whether somebody changed it there.
    store: Option<(String, bool)>,
    forgotten: bool,
    superseded: bool,
}

impl Row {
    fn apply(&mut self) {
        let Some(now) = self.source.clone().filter(|_| !self.forgotten) else { return };
        match &self.store {
            Some((_, true)) => {}
            Some((_, false)) if self.written.as_ref() == Some(&now) => {}
            // New, changed or lost.
            _ => (self.store, self.written) = (Some((now.clone(), false)), Some(now)),
        }
        self.superseded &= self.store.as_ref().is_some_and(|(_, touched)| *touched);
    }

    /// What is deleted at the source is forgotten here, edited or not.
    fn propagate(&mut self) {
        if self.source.is_none() && self.store.is_some() {
            (self.store, self.written, self.forgotten) = (None, None, true);
        }
    }

    /// Whether verify has something to say.
    fn differs(&self) -> bool {
        self.store.is_some() && self.source != self.written
    }
}

#[test]
fn random_histories_end_as_the_table_says() {
    each_of_some(async |steps| history(steps).await);
}

#[test]
fn random_histories_that_are_followed_by_an_outbox_end_as_the_table_says() {
    each_of_some(async |steps| Box::pin(followed(steps)).await);
}

fn each_of_some(tell: impl AsyncFn(&[Step])) {
    let cases = if std::env::var("HEIRLOOM_TEST_URL").is_ok() { 4 } else { 2 };
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20, ..Config::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    TestRunner::new(config)
        .run(&vec(step(), 8..25), |steps| {
            runtime.block_on(tell(&steps));
            Ok(())
        })
        .unwrap();
}

/// One row stands still, so that no side is ever empty; every second row is expired from the start.
async fn begun(toml: &str) -> (Ground, Plan, BTreeMap<u64, Row>) {
    let ground = Ground::new(
        "create table note (id bigint primary key, body text, ends timestamptz); insert into note values (99, 'stands still', null)",
    )
    .await;
    let plan = ground.plan(toml, 4).await.unwrap();
    ground.apply(&plan).await.unwrap();
    (ground, plan, (1..=KEYS).map(|key| (key, Row::default())).collect())
}

async fn history(steps: &[Step]) {
    let (ground, plan, mut rows) = begun(FILE).await;
    for (at, step) in steps.iter().enumerate() {
        take(&ground, &plan, &mut rows, *step, at).await;
    }
    ended(ground, &plan, rows, steps).await;
}

/// What happens at the source is dealt with at once, deletes too, and nothing else is until the last apply.
async fn followed(steps: &[Step]) {
    let (ground, plan, mut rows) = begun(&FILE.replace("key = [\"id\"]", "key = [\"id\"]\noutbox = true")).await;
    let (options, mut passes) = following(Some(Budget::Percent(100.0)));
    let stop = Stop::default();
    let running = ground.apply_until(&stop, ground.source.as_ref(), &plan, options);
    let telling = async {
        passes.recv().await.unwrap();
        for (at, step) in steps.iter().enumerate() {
            let (Step::Say(key) | Step::Delete(key)) = *step else {
                if !matches!(step, Step::Apply | Step::Propagate) {
                    take(&ground, &plan, &mut rows, *step, at).await;
                }
                continue;
            };
            let was_there = rows[&key].source.is_some();
            take(&ground, &plan, &mut rows, *step, at).await;
            settled(&mut passes).await;
            let row = rows.get_mut(&key).unwrap();
            row.apply();
            if was_there {
                row.propagate();
            }
        }
        stop.ask();
    };
    let (done, ()) = tokio::join!(running, telling);
    assert_eq!(done.unwrap().followed.unwrap().looks, 0, "{steps:?}");
    ended(ground, &plan, rows, steps).await;
}

async fn ended(ground: Ground, plan: &Plan, mut rows: BTreeMap<u64, Row>, steps: &[Step]) {
    take(&ground, plan, &mut rows, Step::Apply, steps.len()).await;
    for (key, row) in &rows {
        let sql = format!(
            "(select m.content from heirloom.memory m join heirloom.origin o using (id, namespace) where o.source_key = '[\"{key}\"]')"
        );
        let expected = row.store.as_ref().map_or("NULL", |(text, _)| text.as_str());
        assert_eq!(ground.one(&sql).await, expected, "row {key} of {steps:?}: {row:?}");
    }
    let found = ground.verify(plan).await.unwrap();
    let differing = rows.values().filter(|row| row.differs()).count() as u64;
    assert_eq!(found.difference_count, differing, "{steps:?}: {:#?}", found.differences);
    let before = ground.versions().await;
    assert_eq!(ground.apply(plan).await.unwrap().written, 0, "{steps:?}");
    assert_eq!(ground.versions().await, before, "{steps:?}: applying again wrote something");
    ground.close().await;
}

async fn take(ground: &Ground, plan: &Plan, rows: &mut BTreeMap<u64, Row>, step: Step, at: usize) {
    let scope = Scope::new(["custom:all"]).unwrap();
    match step {
        Step::Say(key) => {
            let text = format!("source {key} says {at}");
            let ends = if key % 2 == 0 { "'2020-01-01'" } else { "null" };
            ground
                .sql(&format!("insert into note values ({key}, '{text}', {ends}) on conflict (id) do update set body = excluded.body"))
                .await;
            rows.get_mut(&key).unwrap().source = Some(text);
        }
        Step::Delete(key) => {
            ground.sql(&format!("delete from note where id = {key}")).await;
            rows.get_mut(&key).unwrap().source = None;
        }
        Step::Apply => {
            ground.apply(plan).await.unwrap();
            rows.values_mut().for_each(Row::apply);
        }
        Step::Propagate => {
            let options = Options { deletes: Some(Budget::Percent(100.0)), ..Options::default() };
            ground.apply_with(plan, options).await.unwrap();
            rows.values_mut().for_each(Row::apply);
            rows.values_mut().for_each(Row::propagate);
        }
        Step::Edit(key) | Step::Supersede(key) | Step::Forget(key) | Step::Lose(key) => {
            let row = rows.get_mut(&key).unwrap();
            if row.store.is_none() {
                return;
            }
            let id = ground.one(&format!("select id from heirloom.origin where source_key = '[\"{key}\"]'")).await;
            let id: Uuid = id.parse().unwrap();
            match step {
                Step::Edit(_) => {
                    let text = format!("edit {at}");
                    let revise = serde_json::json!({ "id": id, "content": text });
                    let revise: Revise = serde_json::from_value(revise).unwrap();
                    ground.store.revise(&scope, &revise).await.unwrap();
                    row.store = Some((text, true));
                }
                Step::Supersede(_) if row.superseded => {}
                Step::Supersede(_) => {
                    let to = "superseded".to_owned();
                    ground.store.transition(&scope, &Transition { id, to, ..Transition::default() }).await.unwrap();
                    row.store.as_mut().unwrap().1 = true;
                    row.superseded = true;
                }
                Step::Forget(_) => {
                    let forget: Forget = serde_json::from_value(serde_json::json!({ "id": id })).unwrap();
                    ground.store.forget(&scope, &forget).await.unwrap();
                    (row.store, row.written, row.forgotten) = (None, None, true);
                }
                _ => {
                    ground.sql(&format!("delete from heirloom.memory where id = '{id}'")).await;
                    row.store = None;
                    row.superseded = false;
                }
            }
        }
    }
}

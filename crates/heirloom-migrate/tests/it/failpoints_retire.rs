//! An error at each named point of a soak and of a retirement, then the step again: it ends as an undisturbed one does.
//!
//! On a server each is done twice: with the source in the store's own database, and with the source in another.

use heirloom_engine::testkit::TestDatabase;
use heirloom_migrate::audit::{self, anchor};
use heirloom_migrate::failpoint::{Failpoints, Point};
use heirloom_migrate::ledger;
use heirloom_migrate::retire::{self, Phase};
use heirloom_migrate::soak;
use heirloom_migrate::source;
use heirloom_migrate::{MigrateError, Result};

use crate::failpoints::{armed, failed_at, named};
use crate::soak_ground::{DAY, Watched, file, legacy};
use crate::support::Ground;

const ROWS: u32 = 20;
const HOUR: i64 = 3_600;

/// A step on the way of a table that goes, and of one that comes back.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// `soak start`.
    Start,
    /// `soak start --restart`, of a soak that is over.
    Restart,
    /// The sweep by which a soak is over.
    Sweep,
    /// The sweep by which one that was over is not any more.
    Diverge,
    /// `audit anchor`.
    Anchor,
    /// `retire`: the last sweep, the archive, the rename.
    Rename,
    /// `retire` after the grace.
    Drop,
    /// `unretire` within the grace.
    Back,
    /// `unretire` from the archive.
    Restore,
}

impl Step {
    const ALL: [Self; 9] = [
        Self::Start,
        Self::Restart,
        Self::Sweep,
        Self::Diverge,
        Self::Anchor,
        Self::Rename,
        Self::Drop,
        Self::Back,
        Self::Restore,
    ];

    /// The points that it passes.
    fn points(self) -> Vec<Point> {
        let prefixes: &[&str] = match self {
            Self::Start | Self::Restart => &["soak."],
            Self::Sweep | Self::Diverge => &["sweep."],
            Self::Anchor => &["anchored."],
            Self::Rename => &["sweep.", "archive.", "rehearsal.", "archived.", "rename.", "retired."],
            Self::Drop => &["drop.", "dropped."],
            Self::Back | Self::Restore => &["return.", "unretired."],
        };
        prefixes.iter().flat_map(|prefix| named(prefix)).collect()
    }

    /// Right before it.
    async fn ready(self, apart: bool) -> Case {
        let mut case = Case::verified(apart).await;
        // The plan's file lies somewhere, and the head beside it once it is kept.
        case.watched.lost = Some(case.watched.manifest().with_extension("audit"));
        if self == Self::Start {
            return case;
        }
        case.watched.start(false).await.unwrap();
        assert!(case.watched.sweep(false).await.unwrap().record.clean);
        case.watched.pass(DAY);
        if self == Self::Sweep {
            return case;
        }
        assert!(case.watched.sweep(false).await.unwrap().calendar.over);
        match self {
            Self::Diverge => {
                case.watched.tamper("update heirloom.memory set content = 'else' where content = 'note 3'").await;
            }
            Self::Anchor => case.watched.anchor = None,
            Self::Start | Self::Restart | Self::Sweep | Self::Rename => {}
            Self::Drop | Self::Back | Self::Restore => {
                assert!(case.watched.retire().await.unwrap().holds);
                case.watched.pass(if self == Self::Back { DAY } else { 7 * DAY });
                if self == Self::Restore {
                    assert_eq!(case.watched.retire().await.unwrap().phase, Phase::Dropped);
                }
            }
        }
        case
    }

    async fn take(self, case: &mut Case) -> Result<()> {
        let watched = &mut case.watched;
        match self {
            Self::Start => watched.start(false).await.map(drop),
            Self::Restart => watched.start(true).await.map(drop),
            Self::Sweep | Self::Diverge => watched.sweep(false).await.map(drop),
            Self::Anchor => {
                watched.anchor = soak::anchor(&watched.task(false)).await?.head;
                Ok(())
            }
            Self::Rename | Self::Drop => watched.retire().await.map(drop),
            Self::Back | Self::Restore => watched.unretire().await.map(drop),
        }
    }

    /// Whether the step says so when it was taken already.
    fn refuses_twice(self) -> bool {
        matches!(self, Self::Back | Self::Restore)
    }
}

pub(crate) fn tried() -> Vec<Point> {
    Step::ALL.into_iter().flat_map(Step::points).chain(named("head.")).collect()
}

/// A migration under watch, and its source where that is a database of its own.
struct Case {
    watched: Watched,
    source: Option<TestDatabase>,
    /// The rows as they were.
    rows: String,
}

/// What is left in the end.
#[derive(Debug, PartialEq)]
struct End {
    state: String,
    table: &'static str,
    /// The entries of the chain, without sweeps and archives that nothing came of: those were made, and are told.
    chain: Vec<String>,
    /// Days that count, and whether the soak is over.
    soaked: (u32, bool),
    /// Files beside the plan.
    files: usize,
}

impl Case {
    async fn verified(apart: bool) -> Self {
        let source = if apart { Some(TestDatabase::fresh().await) } else { None };
        let url = source.as_ref().map(|source| source.url().unwrap().to_owned());
        let (legacy, mut file) = (legacy(ROWS), file(1));
        let mut ground = Ground::new(if apart { "select 1" } else { &legacy }).await;
        if let (Some(source), Some(url)) = (&source, &url) {
            source.database().client().await.unwrap().batch_execute(&legacy).await.unwrap();
            ground.source = source::open(url, ground.db.database()).await.unwrap();
            file = file.replace("url = \"store\"", &format!("url = \"{url}\""));
        }
        let plan = ground.plan(&file, 7).await.unwrap();
        ground.apply(&plan).await.unwrap();
        let watched = Watched::of(ground, plan);
        watched.record().await;
        let mut case = Self { watched, source, rows: String::new() };
        case.rows = case.rows_of("note").await;
        case
    }

    /// One value as text, from the source.
    async fn one(&self, sql: &str) -> String {
        match &self.source {
            None => self.watched.ground.one(sql).await,
            Some(source) => {
                let client = source.database().client().await.unwrap();
                client.query_one(&format!("select ({sql})::text"), &[]).await.unwrap().get(0)
            }
        }
    }

    async fn rows_of(&self, table: &str) -> String {
        self.one(&format!("select count(*) || ' ' || md5(string_agg(n::text, '/' order by id)) from {table} as n"))
            .await
    }

    /// Where every row is: under the table's name, under the one by which it is kept, or in an archive alone.
    async fn table(&self) -> &'static str {
        let tables =
            "select coalesce(string_agg(relname, ' '), '') from pg_class where relkind = 'r' and relname like 'note%'";
        let table = self.one(tables).await;
        if table.is_empty() {
            // Made again, compared, and rolled back.
            let back = retire::unretire(&self.watched.task(true), &self.watched.manifest(), &[]).await.unwrap();
            assert!(back.from_archive && back.rows == u64::from(ROWS), "{back:?}");
            return "archived";
        }
        assert_eq!(self.rows_of(&table).await, self.rows, "{table}");
        if table == "note" { "there" } else { "kept" }
    }

    /// The entries from the soak on, of a chain that holds.
    async fn chain(&self) -> Vec<String> {
        let client = self.watched.ground.db.database().client().await.unwrap();
        let run = ledger::find_run(&client, self.watched.plan.run_id).await.unwrap().unwrap();
        let (entries, guards) = ledger::chain(&client, run.run_id).await.unwrap();
        let report = audit::check(&run, &entries, &guards, self.watched.anchor.as_slice());
        assert!(report.holds, "{:?}", report.problems);
        entries.into_iter().map(|entry| entry.what).skip_while(|what| what != "soaking").collect()
    }

    async fn end(&self) -> End {
        let table = self.table().await;
        let mut chain: Vec<String> = Vec::new();
        for what in self.chain().await.into_iter().filter(|what| what != "sweep") {
            if what == "archived" && chain.ends_with(&["archived".to_owned(), "renaming".to_owned()]) {
                chain.truncate(chain.len() - 2);
            }
            chain.push(what);
        }
        let calendar = self.calendar().await;
        let dir = self.watched.manifest();
        End {
            state: self.watched.state().await,
            table,
            chain,
            soaked: (calendar.counted, calendar.over),
            files: std::fs::read_dir(dir.parent().unwrap()).unwrap().count(),
        }
    }

    async fn calendar(&self) -> soak::Calendar {
        let client = self.watched.ground.db.database().client().await.unwrap();
        let run = ledger::find_run(&client, self.watched.plan.run_id).await.unwrap().unwrap();
        soak::status(&client, &run, self.watched.clock.now()).await.unwrap().calendar
    }

    async fn close(self) {
        self.watched.close().await;
        if let Some(source) = self.source {
            source.close().await;
        }
    }
}

/// Whether a source can be a database of its own: the embedded engine has no address for it.
async fn ways() -> Vec<bool> {
    let probe = TestDatabase::fresh().await;
    let ways = if probe.url().is_some() { vec![false, true] } else { vec![false] };
    probe.close().await;
    ways
}

async fn fails_and_goes_on(step: Step) {
    for apart in ways().await {
        let mut calm = Box::pin(step.ready(apart)).await;
        let before = calm.end().await;
        calm.watched.pass(HOUR);
        step.take(&mut calm).await.unwrap();
        let after = calm.end().await;
        assert_ne!(before, after, "{step:?} does something");
        for point in step.points() {
            let what = format!("{step:?} at {}, source apart: {apart}", point.name());
            let mut case = Box::pin(step.ready(apart)).await;
            let failpoints = armed(point, 1);
            case.watched.failpoints = failpoints.clone();
            failed_at(point, &failpoints, step.take(&mut case).await);
            // Every row is somewhere, the chain holds, and the soak has lasted for as long as it did, or as it will have.
            let between = case.end().await;
            assert!([before.soaked, after.soaked].contains(&between.soaked), "{what}: {between:?}");
            if point.name().contains(".before-") && step != Step::Rename {
                assert_eq!(between.soaked, before.soaked, "{what}");
            }
            case.watched.pass(HOUR);
            let again = step.take(&mut case).await;
            let is_taken = point.name().ends_with("after-commit") && step.points().last() == Some(&point);
            assert_eq!(again.is_err(), is_taken && step.refuses_twice(), "{what}: {again:?}");
            let mut end = case.end().await;
            if is_taken && [Step::Restart, Step::Anchor].contains(&step) {
                // Who does it once more does it once more: an entry each.
                assert_eq!(end.chain.pop().as_ref(), end.chain.last(), "{what}");
            }
            assert_eq!(end, after, "{what}");
            go_on(step, &mut case, &what).await;
            case.close().await;
        }
        calm.close().await;
    }
}

/// What comes after the step, comes as ever.
async fn go_on(step: Step, case: &mut Case, what: &str) {
    match step {
        Step::Start | Step::Restart | Step::Sweep | Step::Anchor | Step::Back | Step::Restore => {
            assert!(case.watched.sweep(false).await.unwrap().record.clean, "{what}");
        }
        Step::Diverge => assert!(!case.watched.sweep(false).await.unwrap().record.clean, "{what}"),
        Step::Rename => {
            // The grace is counted from the entry, whenever that came.
            let entry = "select extract(epoch from at)::bigint from heirloom_migrate.audit where what = 'retired'";
            let retired: i64 = case.watched.ground.one(entry).await.parse().unwrap();
            let early = case.watched.retire().await.unwrap();
            assert_eq!(early.drop_at.unwrap().as_second(), retired + 7 * DAY, "{what}");
            assert_eq!((early.phase, early.holds), (Phase::Kept, false), "{what}");
            case.watched.pass(7 * DAY);
            assert_eq!(case.watched.retire().await.unwrap().phase, Phase::Dropped, "{what}");
            assert_eq!(case.table().await, "archived", "{what}");
        }
        Step::Drop => {
            assert!(case.watched.unretire().await.unwrap().from_archive, "{what}");
            assert_eq!(case.table().await, "there", "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_while_a_soak_begins_counts_no_day() {
    for step in [Step::Start, Step::Restart] {
        Box::pin(fails_and_goes_on(step)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_while_a_sweep_is_recorded_gains_no_day_and_hides_no_divergence() {
    for step in [Step::Sweep, Step::Diverge, Step::Anchor] {
        Box::pin(fails_and_goes_on(step)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_on_the_way_to_the_rename_loses_no_row() {
    Box::pin(fails_and_goes_on(Step::Rename)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_at_the_drop_leaves_the_table_or_its_archive() {
    Box::pin(fails_and_goes_on(Step::Drop)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_on_the_way_back_leaves_it_open() {
    for step in [Step::Back, Step::Restore] {
        Box::pin(fails_and_goes_on(step)).await;
    }
}

/// Nobody who renamed a table and could not say so finds it dropped because he came back late.
#[tokio::test(flavor = "multi_thread")]
async fn a_grace_that_nothing_said_has_not_begun() {
    for point in [Point::AfterRename, Point::BeforeRetired] {
        let mut case = Box::pin(Step::Rename.ready(false)).await;
        let failpoints = armed(point, 1);
        case.watched.failpoints = failpoints.clone();
        failed_at(point, &failpoints, Step::Rename.take(&mut case).await);
        case.watched.pass(30 * DAY);
        let kept = case.watched.retire().await.unwrap();
        assert_eq!(kept.phase, Phase::Kept);
        let over = kept.drop_at.unwrap().as_second() - case.watched.clock.now().as_second();
        assert_eq!((over, case.table().await), (7 * DAY, "kept"));
        case.close().await;
    }
}

/// A head that is behind is still one that the chain goes through; one that was half written is none at all.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_about_the_head_outside_leaves_the_one_before_or_the_new_one() {
    let mut case = Box::pin(Step::Sweep.ready(false)).await;
    let path = case.watched.manifest().with_extension("audit");
    let run_id = case.watched.plan.run_id;
    let first = case.watched.anchor.clone().unwrap();
    anchor::write(&path, &first, &Failpoints::default()).await.unwrap();
    let next = case.watched.sweep(false).await.unwrap().head.unwrap();
    for (point, is_behind) in [(Point::BeforeHead, true), (Point::AfterHead, false)] {
        let failpoints = armed(point, 1);
        let failed: std::result::Result<(), MigrateError> = anchor::write(&path, &next, &failpoints).await;
        failed_at(point, &failpoints, failed);
        let kept = anchor::read(&path, run_id).unwrap();
        assert_eq!(kept.as_ref(), Some(if is_behind { &first } else { &next }));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        case.watched.anchor = kept;
        case.watched.pass(HOUR);
        assert!(case.watched.sweep(false).await.unwrap().record.clean);
        case.chain().await;
    }
    case.close().await;
}

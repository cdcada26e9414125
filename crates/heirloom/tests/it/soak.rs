//! Soak and retire through the binary, under a clock that the test moves: the guide, and what the guide warns of.

use crate::legacy::Legacy;
use crate::support::Ran;

const DAY: i64 = 86_400;

const NOTES: &str = "create table notes (id bigint primary key, team text, body text, made timestamptz); \
    insert into notes select g, 'team-' || (g % 3), 'Note ' || g || ' says enough', '2025-01-01'::timestamptz + g * interval '1 hour' \
    from generate_series(1, 40) g;";

const FILE: &str = "name = \"notes\"\n[source]\nurl = \"store\"\ntable = \"notes\"\nmark = \"migrated_at\"\n[namespace]\n\
    template = \"team:{team}\"\n[map]\ncontent = \"body\"\nkind = { value = \"fact\" }\ncreated_at = \"made\"\n\
    [soak]\ndays = 2\n[retire]\ngrace = 7\n";

/// A migration that was applied, and a clock.
struct Story {
    legacy: Legacy,
    now: i64,
}

impl Story {
    async fn applied() -> Self {
        let legacy = Legacy::new(NOTES).await;
        legacy.write("notes.toml", FILE);
        legacy.ends(0, "plan notes.toml --chunk-rows 10");
        legacy.ends(0, "apply notes.plan.json");
        let now = (jiff::Timestamp::now().as_second() / DAY + 1) * DAY + DAY / 2;
        Self { legacy, now }
    }

    async fn soaking() -> Self {
        let story = Self::applied().await;
        story.ends(0, "verify notes.plan.json --record");
        story.ends(0, "soak start notes.plan.json");
        story.ends(0, "soak sweep notes.plan.json");
        story
    }

    fn run(&self, words: &str) -> Ran {
        let clock = self.now.to_string();
        self.legacy.run_with(words, &[("HEIRLOOM_TEST_CLOCK", clock.as_str())])
    }

    #[track_caller]
    fn ends(&self, code: i32, words: &str) -> Ran {
        let ran = self.run(words);
        assert_eq!(ran.code, code, "`{words}`: {ran}");
        ran
    }

    /// Sweeps day after day until the soak is over, also when it begins with the first of them.
    fn soak(&mut self) {
        for _ in 0..3 {
            self.now += DAY;
            self.ends(0, "soak sweep notes.plan.json");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_is_a_story_that_happens() {
    let page = include_str!("../../../../docs/guides/soak-and-retire.md");
    let mut story = Story::applied().await;
    let (mut commands, mut expected) = (0, None);
    for line in page.lines() {
        match line {
            "<!-- a day later -->" => story.now += DAY,
            "<!-- the soak is over -->" => story.soak(),
            "<!-- the grace is over -->" => story.now += 7 * DAY,
            "```sh" => expected = Some(0),
            "```sh fails" => expected = Some(3),
            "```" => expected = None,
            _ => {
                let Some(code) = expected else { continue };
                let words = line.strip_prefix("heirloom ").unwrap_or_else(|| panic!("{line}"));
                story.ends(code, words);
                commands += 1;
            }
        }
    }
    assert!(commands >= 15, "{commands}");
    assert_eq!(story.legacy.one("select to_regclass('notes')").await, "null", "the guide ends with the drop");
    // What it says of the marker: before, and from the archive.
    story.ends(0, "unretire notes.plan.json");
    assert_eq!(story.legacy.one("select count(*) filter (where migrated_at is null) from notes").await, "0");
    story.legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_soak_shows() {
    let mut story = Story::soaking().await;
    story.now += DAY;
    story
        .legacy
        .sql(
            "begin; set local session_replication_role = replica; \
             update heirloom.memory set content = content || '!' where content like 'Note 17 %'; commit",
        )
        .await;
    story.legacy.write("tell.toml", "[notify]\ncommand = [\"/usr/bin/tee\", \"told.json\"]\n");
    let found = story.ends(3, "soak sweep notes.plan.json --config tell.toml");
    assert!(found.stdout.contains("altered     17   content") && !found.stdout.contains("says enough"), "{found}");
    let told = std::fs::read_to_string(story.legacy.home.path().join("told.json")).unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["event"], &told["divergences"], &told["kinds"]["altered"]),
        (&"divergence".into(), &1.into(), &1.into())
    );
    assert!(!told.to_string().contains("17"), "no key leaves the house: {told}");
    // Nobody who asked for quiet misses that nobody was told.
    story.legacy.write("fails.toml", "[notify]\ncommand = [\"/bin/false\"]\n");
    let quiet = story.ends(3, "soak sweep notes.plan.json --config fails.toml -q");
    assert!(quiet.stderr.contains("notify.command"), "{quiet}");
    let json = story.ends(3, "soak sweep notes.plan.json --config fails.toml --json");
    assert!(json.json()["not_told"][0].as_str().unwrap().contains("notify.command"), "{json}");
    assert!(json.stderr.contains("notify.command"), "{json}");
    let status = story.ends(3, "soak status notes.plan.json");
    for part in ["notes: soaking", "[ox]", "short no-divergence", "short soaked"] {
        assert!(status.stdout.contains(part), "{part}: {status}");
    }
    let json = story.ends(3, "soak status --json").json();
    assert_eq!(json["soaks"][0]["divergences"][0]["key"][0], "17");
    assert_eq!(json["soaks"][0]["calendar"]["days"][1]["kind"], "divergent");
    let report = story.ends(3, "report notes.plan.json --json").json();
    assert_eq!(
        (&report["migrations"][0]["soak"][1]["kind"], &report["migrations"][0]["gates"][1]["met"]),
        (&"divergent".into(), &false.into())
    );
    let head = report["migrations"][0]["audit"].clone();
    let known = format!("audit check notes.plan.json --head {}:{}", head["seq"], head["hash"].as_str().unwrap());
    story.ends(0, &known);
    let page = std::fs::read_to_string(story.legacy.home.path().join("heirloom-report/report.html")).unwrap();
    assert!(page.contains("no-divergence") && page.contains("divergent"));
    story.legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_beside_the_plan_tells_a_restored_ledger() {
    let mut story = Story::soaking().await;
    story.legacy.sql("create table kept as select * from heirloom_migrate.audit").await;
    story.now += DAY;
    story.ends(0, "soak sweep notes.plan.json");
    story
        .legacy
        .sql(
            "begin; set local session_replication_role = replica; delete from heirloom_migrate.audit; \
             insert into heirloom_migrate.audit select * from kept; commit",
        )
        .await;
    let checked = story.ends(3, "audit check notes.plan.json");
    assert!(checked.stdout.contains("it was cut, or restored from"), "{checked}");
    story.ends(0, "audit check");
    let refused = story.ends(3, "soak sweep notes.plan.json");
    assert!(refused.stderr.contains("The ledger is not the one that was written"), "{refused}");
    // Without the file nobody could tell, so nothing goes on without it, and the next step does not make it anew.
    let beside = story.legacy.home.path().join("notes.plan.audit");
    std::fs::remove_file(&beside).unwrap();
    for words in ["soak sweep notes.plan.json", "retire notes.plan.json --check-only", "unretire notes.plan.json"] {
        let refused = story.ends(3, words);
        assert!(refused.stderr.contains("notes.plan.audit is not there"), "{words}: {refused}");
    }
    let checked = story.ends(3, "audit check notes.plan.json");
    assert!(checked.stdout.contains("is lost"), "{checked}");
    assert!(!beside.exists());
    // Whoever takes the chain as it is says so in the chain.
    let would = story.ends(0, "audit anchor notes.plan.json --check-only");
    assert!(would.stdout.contains("nothing was written") && !beside.exists(), "{would}");
    story.ends(0, "audit anchor notes.plan.json");
    assert!(story.ends(0, "audit list notes.plan.json").stdout.contains("anchored"));
    story.ends(0, "audit check notes.plan.json");
    story.ends(0, "soak sweep notes.plan.json");
    story.legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_clock_does_not_go_on_where_a_test_was() {
    let story = Story::soaking().await;
    let refused = story.legacy.ends(3, "soak sweep notes.plan.json");
    assert!(
        refused.stderr.contains("The clock was moved back") || refused.stderr.contains("clock of a test"),
        "{refused}"
    );
    story.legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_made_again_in_the_same_place_has_a_head_of_its_own() {
    let mut story = Story::soaking().await;
    let beside = story.legacy.home.path().join("notes.plan.audit");
    let old = std::fs::read_to_string(&beside).unwrap();
    story.now += DAY;
    for words in ["plan notes.toml --chunk-rows 10", "apply notes.plan.json", "verify notes.plan.json --record"] {
        story.ends(0, words);
    }
    assert_eq!(std::fs::read_to_string(&beside).unwrap(), old, "the head of the run before still lies there");
    story.ends(0, "audit check notes.plan.json");
    for words in ["soak start notes.plan.json", "soak sweep notes.plan.json", "audit check notes.plan.json"] {
        story.ends(0, words);
    }
    assert_ne!(std::fs::read_to_string(&beside).unwrap(), old);
    let status = story.ends(0, "soak status notes.plan.json --json").json();
    assert_eq!(status["soaks"][0]["calendar"]["counted"], 1, "what the other run counted is not this one's: {status}");
    story.legacy.close().await;
}

/// Every command of it takes the failpoints of its environment; what was stopped is gone on with by the same command.
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_in_between_goes_on() {
    let mut story = Story::applied().await;
    story.ends(0, "verify notes.plan.json --record");
    let fails = |story: &Story, words: &str, point: &str| {
        let (clock, armed) = (story.now.to_string(), format!("{point}=error"));
        let more = [("HEIRLOOM_TEST_CLOCK", clock.as_str()), ("HEIRLOOM_FAILPOINTS", armed.as_str())];
        let ran = story.legacy.run_with(&format!("{words} notes.plan.json"), &more);
        assert!(ran.code == 3 && ran.stderr.contains(&format!("The failpoint {point} was armed")), "{words}: {ran}");
        story.ends(0, "audit check notes.plan.json");
    };
    fails(&story, "soak start", "soak.before-commit");
    fails(&story, "soak start", "head.before-file");
    // It soaks, and its head is not outside yet: that is no head that was lost.
    story.ends(0, "soak start notes.plan.json");
    let again = story.ends(3, "soak start notes.plan.json");
    assert!(again.stderr.contains("soaks already"), "{again}");
    story.ends(0, "soak sweep notes.plan.json");
    for _ in 0..2 {
        story.now += DAY;
        for point in ["sweep.before-commit", "sweep.after-commit", "head.after-file"] {
            fails(&story, "soak sweep", point);
        }
        story.ends(0, "soak sweep notes.plan.json");
    }
    for point in ["archive.after-rows-kept", "archived.after-commit", "rename.after-commit", "retired.before-commit"] {
        fails(&story, "retire", point);
    }
    for words in ["soak sweep", "unretire"] {
        let refused = story.ends(3, &format!("{words} notes.plan.json"));
        assert!(refused.stderr.contains("is renamed already, and nothing says so yet"), "{refused}");
    }
    let kept = story.ends(0, "retire notes.plan.json");
    assert!(kept.stdout.contains("is kept as"), "{kept}");
    story.now += 7 * DAY;
    for point in ["drop.before-commit", "drop.after-commit", "dropped.before-commit"] {
        fails(&story, "retire", point);
    }
    story.ends(0, "retire notes.plan.json");
    for point in ["return.before-commit", "return.after-commit", "unretired.before-commit"] {
        fails(&story, "unretire", point);
    }
    let beside = story.legacy.home.path().join("notes.plan.audit");
    let behind = std::fs::read(&beside).unwrap();
    let back = story.ends(0, "unretire notes.plan.json");
    assert!(back.stdout.contains("made again from its archive, 40 rows"), "{back}");
    assert_eq!(story.legacy.one("select count(*) from notes").await, "40");
    // A head that was lost is taken as it is, and that may fail too.
    assert_ne!(std::fs::read(&beside).unwrap(), behind);
    std::fs::remove_file(&beside).unwrap();
    for point in ["anchored.before-commit", "anchored.after-commit"] {
        let armed = format!("{point}=error");
        let ran = story.legacy.run_with(
            "audit anchor notes.plan.json",
            &[("HEIRLOOM_TEST_CLOCK", story.now.to_string().as_str()), ("HEIRLOOM_FAILPOINTS", armed.as_str())],
        );
        assert!(ran.code == 3 && ran.stderr.contains(point) && !beside.exists(), "{ran}");
    }
    story.ends(0, "audit anchor notes.plan.json");
    story.ends(0, "audit check notes.plan.json");
    story.legacy.close().await;
}

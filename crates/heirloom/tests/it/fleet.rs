//! `heirloom fleet`: four teams in one database, the whole way, on whichever engine the suite runs.

use serde_json::Value;

use crate::legacy::Legacy;

/// Teams and the rows each has; the last row of the first is blank and is set aside.
const TEAMS: [(&str, u64); 4] = [("agents-team", 41), ("hongming", 14), ("chloe-dong", 1), ("reno-stars", 10)];

fn schema(team: &str) -> String {
    team.replace('-', "_")
}

fn tables() -> String {
    let mut sql = String::new();
    for (team, rows) in TEAMS {
        let schema = schema(team);
        sql.push_str(&format!(
            "create schema {schema};
             create table {schema}.note (id bigint primary key, body text, made timestamptz);
             insert into {schema}.note
             select g, case when '{team}' = 'agents-team' and g = {rows} then ' ' else '{team} keeps note ' || g end, '2026-01-01'
             from generate_series(1, {rows}) g;\n"
        ));
    }
    sql
}

pub(crate) const TEMPLATE: &str = "name = \"notes\"\n[source]\nurl = \"store\"\n[namespace]\ntemplate = \"custom:nobody\"\n\
    [map]\ncontent = \"body\"\nkind = { value = \"fact\" }\ncreated_at = \"made\"\n";

fn tenants() -> String {
    let mut text = "name = \"seed\"\n[defaults]\nfile = \"notes.toml\"\nnamespace = \"custom:{tenant}\"\n\
        allow = [\"superuser\", \"shared-target\"]\n"
        .to_owned();
    for (team, _) in TEAMS {
        let budget = if team == "agents-team" { "budget = 1\n" } else { "" };
        text.push_str(&format!("[[tenant]]\nname = \"{team}\"\ntable = \"{}.note\"\n{budget}", schema(team)));
    }
    text
}

pub(crate) async fn ground() -> Legacy {
    let legacy = Legacy::new(&tables()).await;
    legacy.write("notes.toml", TEMPLATE);
    legacy.write("tenants.toml", &tenants());
    legacy
}

/// Runs a fleet command that must end with this code; gives back its data.
#[track_caller]
fn fleet(legacy: &Legacy, code: i32, words: &str) -> Value {
    legacy.ends(code, &format!("fleet {words} --json")).json()
}

pub(crate) fn line<'v>(told: &'v Value, tenant: &str) -> &'v Value {
    let lines = told["tenants"].as_array().unwrap_or_else(|| panic!("{told}"));
    lines.iter().find(|line| line["tenant"] == tenant).unwrap_or_else(|| panic!("{tenant}: {told}"))
}

pub(crate) fn states(told: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = told["tenants"].as_array().unwrap_or_else(|| panic!("{told}"));
    lines.iter().map(|line| (text(&line["tenant"]), text(&line["state"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn four_teams_go_the_whole_way_and_each_line_adds_up() {
    let legacy = ground().await;
    // What is only looked at leaves nothing.
    assert_eq!(fleet(&legacy, 0, "plan tenants.toml --check-only")["totals"]["source_rows"], 66);
    assert!(!legacy.home.path().join("tenants").exists());
    assert!(states(&fleet(&legacy, 0, "status tenants.toml")).iter().all(|(_, state)| state == "unplanned"));

    let planned = fleet(&legacy, 0, "plan tenants.toml");
    assert!(states(&planned).iter().all(|(_, state)| state == "planned"), "{planned}");
    let digest = line(&planned, "hongming")["plan_digest"].clone();
    // A plan that is there stays; a made file is an ordinary migration file, a plan an ordinary plan.
    assert_eq!(line(&fleet(&legacy, 0, "plan tenants.toml"), "hongming")["plan_digest"], digest);
    assert_ne!(
        line(&fleet(&legacy, 0, "plan tenants.toml --only hongming --again"), "hongming")["plan_digest"],
        digest
    );
    legacy.ends(0, "plan tenants/hongming.toml --check-only");

    fleet(&legacy, 0, "apply tenants.toml --check-only");
    assert!(legacy.untouched().await, "--check-only wrote something");
    let some = fleet(&legacy, 0, "apply tenants.toml --only chloe-dong,hongming --except hongming");
    assert_eq!(states(&some), [("chloe-dong".to_owned(), "applied".to_owned())]);
    let rest =
        ["0/2", "1/2"].map(|share| fleet(&legacy, 0, &format!("apply tenants.toml --shard {share} --parallel 2")));
    assert_eq!(rest.iter().map(|told| told["totals"]["written"].as_u64().unwrap()).sum::<u64>(), 64);
    let again = fleet(&legacy, 0, "apply tenants.toml");
    assert_eq!(again["totals"]["written"], 0, "{again}");
    for (team, rows) in TEAMS {
        let line = line(&again, team);
        let count = |name: &str| line[name].as_u64().unwrap_or_else(|| panic!("{name}: {line}"));
        assert_eq!(
            (count("source_rows"), count("migrated") + count("skipped") + count("rejected")),
            (rows, rows),
            "{team}"
        );
        assert_eq!(count("rejected"), u64::from(team == "agents-team"));
    }

    assert_eq!(line(&fleet(&legacy, 0, "verify tenants.toml"), "reno-stars")["state"], "applied");
    let verified = fleet(&legacy, 0, "verify tenants.toml --record");
    assert!(states(&verified).iter().all(|(_, state)| state == "verified"), "{verified}");
    let status = fleet(&legacy, 0, "status tenants.toml");
    for name in ["source_rows", "migrated", "skipped", "rejected", "explained", "verified"] {
        assert_eq!(status["totals"][name], verified["totals"][name], "{name}");
    }
    assert_eq!((&status["totals"]["migrated"], &status["totals"]["verified"]), (&65.into(), &65.into()));
    let shown = legacy.ends(0, "fleet tenants.toml").stdout;
    assert!(shown.contains("\n  4 tenants        66        65     0       1        0        65"), "{shown}");
    assert_eq!(legacy.one("select count(*) from heirloom.memory where namespace = 'custom:agents-team'").await, "40");

    let report = fleet(&legacy, 0, "report tenants.toml --out shown");
    assert_eq!(report["written"].as_array().map(Vec::len), Some(3));
    let page = std::fs::read_to_string(legacy.home.path().join("shown/fleet.html")).unwrap();
    let text = std::fs::read_to_string(legacy.home.path().join("shown/fleet.md")).unwrap();
    assert!(text.contains("| agents-team | 41 | 40 | 0 | 1 | 0 | 40 | – | verified |"), "{text}");
    assert!(!page.contains("keeps note") && !text.contains("keeps note"), "a report holds content");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenants_fault_is_its_own_and_says_what_to_do() {
    let legacy = ground().await;
    // One has no table, one no key; the other two are planned.
    legacy.sql("drop table reno_stars.note; alter table hongming.note drop constraint note_pkey").await;
    let planned = fleet(&legacy, 3, "plan tenants.toml");
    assert_eq!(line(&planned, "reno-stars")["failure"]["code"], "source");
    assert!(line(&planned, "hongming")["failure"]["message"].as_str().unwrap().contains("key"), "{planned}");
    assert_eq!(planned["totals"]["failed"], 2);
    let applied = fleet(&legacy, 3, "apply tenants.toml");
    assert_eq!(line(&applied, "agents-team")["state"], "applied");
    let message = line(&applied, "reno-stars")["failure"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("it is not there yet; run `heirloom fleet plan` first"), "{message}");

    // A row that was changed behind everybody's back fails one tenant alone, and says how to find it.
    legacy
        .sql(
            "set heirloom.times_given = 'on';
             update heirloom.memory set content = content || '!' where content = 'agents-team keeps note 7'",
        )
        .await;
    let verified = fleet(&legacy, 3, "verify tenants.toml --record --except reno-stars,hongming");
    assert_eq!(line(&verified, "chloe-dong")["state"], "verified");
    let failed = line(&verified, "agents-team");
    assert_eq!((&failed["state"], &failed["differences"]), (&"failed".into(), &1.into()));
    let message = failed["failure"]["message"].as_str().unwrap();
    assert!(message.contains("`heirloom verify tenants/agents-team.plan.json` names each row"), "{message}");
    assert_eq!(legacy.ends(3, "verify tenants/agents-team.plan.json --json").json()["difference_count"], 1);

    // A template that changed since makes every plan stale.
    legacy.write("notes.toml", &TEMPLATE.replace("fact", "summary"));
    let stale = fleet(&legacy, 3, "apply tenants.toml --only chloe-dong");
    let message = line(&stale, "chloe-dong")["failure"]["message"].as_str().unwrap();
    assert!(message.contains("the tenants file or its template changed since it was made"), "{message}");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_tenants_file_or_choice_is_refused_before_anything_begins() {
    let legacy = ground().await;
    for (code, words, said) in [
        (1, "plan none.toml", "none.toml: there is no such file"),
        (3, "plan tenants.toml --only hongmin", "has no tenant `hongmin` (did you mean `hongming`?)"),
        (3, "status tenants.toml --except x --except hongming", "--except: tenants.toml has no tenant `x`"),
        (2, "retire tenants.toml --only ,", "--only: it names nobody"),
        (2, "plan tenants.toml --shard 3/3", "`3/3` is not INDEX/COUNT"),
        (2, "plan tenants.toml --parallel 0", "--parallel: 0 was given"),
        (1, "plan bad.toml", "bad.toml:3:1: unknown key `sorce` in [tenant] (did you mean `source`?)"),
    ] {
        legacy.write("bad.toml", "[[tenant]]\nname = \"a\"\nsorce = \"env:A\"\n");
        let ran = legacy.ends(code, &format!("fleet {words}"));
        assert!(ran.stderr.replace('\n', " ").contains(said), "{words}: {ran}");
        assert!(ran.stdout.is_empty(), "{ran}");
    }
    for text in ["", "\0", "[[tenant]]\nname = \"\\u0000\"", "[[tenant]]\n", "tenant = 7"] {
        legacy.write("bad.toml", text);
        legacy.ends(1, "fleet plan bad.toml");
    }
    std::fs::write(legacy.home.path().join("bad.toml"), [0xff, 0xfe]).unwrap();
    legacy.ends(1, "fleet plan bad.toml");
    assert!(legacy.untouched().await && !legacy.home.path().join("tenants").exists());
    legacy.close().await;
}

/// Killed in the middle, and two at once: what is done stays done, nothing is done twice.
#[tokio::test(flavor = "multi_thread")]
async fn killed_half_way_it_goes_on_and_two_at_once_share_the_work() {
    let legacy = ground().await;
    fleet(&legacy, 0, "plan tenants.toml");
    let mut killed = legacy.home.command();
    killed.args(["fleet", "apply", "tenants.toml", "--parallel", "1"]).envs(legacy.variables());
    let output = killed.env("HEIRLOOM_FAILPOINTS", "chunk.after-rows=abort").output().unwrap();
    assert!(!output.status.success() && output.status.code().is_none(), "it was killed: {output:?}");
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        // A directory has one owner, so one after the other.
        assert_eq!(fleet(&legacy, 0, "apply tenants.toml")["totals"]["migrated"], 65);
        return legacy.close().await;
    }
    let start = || {
        let mut command = legacy.home.command();
        command.args(["fleet", "apply", "tenants.toml", "--json"]).envs(legacy.variables());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let both = [start(), start()];
    let mut written = 0;
    for one in both {
        let output = one.wait_with_output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert!(output.status.success(), "{told} {}", String::from_utf8_lossy(&output.stderr));
        written += told["totals"]["written"].as_u64().unwrap();
    }
    assert_eq!(written, 65, "each row by one of the two");
    assert_eq!(legacy.one("select count(*) from heirloom.memory").await, "65");
    assert_eq!(fleet(&legacy, 0, "verify tenants.toml")["totals"]["verified"], 65);
    legacy.close().await;
}

/// Two teams that say the same namespace, one planned before there was a store and one after.
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_of_two_is_found_whenever_each_was_planned() {
    let legacy = ground().await;
    legacy.write("tenants.toml", &tenants().replace("custom:{tenant}", "team:all"));
    fleet(&legacy, 0, "plan tenants.toml --only chloe-dong");
    assert_eq!(fleet(&legacy, 0, "apply tenants.toml --only chloe-dong")["totals"]["migrated"], 1);
    fleet(&legacy, 0, "plan tenants.toml --only hongming");
    for (one, other) in [("hongming", "chloe-dong"), ("chloe-dong", "hongming")] {
        let told = fleet(&legacy, 3, &format!("apply tenants.toml --only {one}"));
        let message = line(&told, one)["failure"]["message"].as_str().unwrap();
        let says = format!("{one} and {other} both hand rows down to the namespace team:all");
        assert!(message.contains(&says), "{message}");
    }
    assert_eq!(legacy.one("select count(*) from heirloom.memory").await, "1");
    legacy.close().await;
}

/// On the embedded engine wherever the suite runs: a server has no directory that could be made.
#[test]
fn looking_makes_no_store() {
    let home = crate::support::Home::new();
    let path = |name: &str| home.path().join(name);
    let source = rusqlite::Connection::open(path("legacy.db")).unwrap();
    let notes = "create table note (id integer primary key, body text, made text);
        insert into note values (1, 'one', '2026-01-01T00:00:00Z'), (2, 'two', '2026-01-01T00:00:00Z')";
    source.execute_batch(notes).unwrap();
    std::fs::write(path("notes.toml"), TEMPLATE.replace("\"store\"", "\"sqlite:legacy.db\"\ntable = \"note\""))
        .unwrap();
    let tenants = "[defaults]\nfile = \"notes.toml\"\nnamespace = \"custom:{tenant}\"\n[[tenant]]\nname = \"a\"\n";
    std::fs::write(path("t.toml"), tenants).unwrap();
    let run = |code: i32, words: &str| {
        let ran = home.run_with(&format!("fleet {words} t.toml --json"), &[("HEIRLOOM_DATA", "store")]);
        assert_eq!(ran.code, code, "{words}: {ran}");
        ran
    };
    for (code, words) in [
        (0, "plan --check-only"),
        (0, "plan"),
        (0, "apply --check-only"),
        (0, "status"),
        (0, "report"),
        (3, "verify"),
        (3, "soak --check-only"),
        (3, "soak"),
        (3, "retire --check-only"),
        (3, "retire"),
    ] {
        let ran = run(code, words);
        assert!(!path("store").exists(), "{words} made a store: {ran}");
        if code == 0 {
            assert_eq!(ran.json()["totals"]["source_rows"], 2, "{words}: {ran}");
        } else {
            assert_eq!(line(&ran.json(), "a")["failure"]["code"], "no-store", "{words}: {ran}");
        }
    }
    run(0, "apply");
    assert!(path("store").exists());
    assert_eq!(run(0, "verify").json()["totals"]["verified"], 2);
}

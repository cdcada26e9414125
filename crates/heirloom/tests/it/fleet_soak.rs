//! `heirloom fleet soak` and `fleet retire`: four teams in one database, from the proof to tables that are gone, under a clock
//! that the test moves; and who is told when old and new part.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use crate::fleet::{TEMPLATE, ground, line, states};
use crate::legacy::Legacy;

const DAY: i64 = 86_400;

/// Four teams that are verified, and a clock.
struct Story {
    legacy: Legacy,
    now: i64,
}

impl Story {
    async fn verified() -> Self {
        let legacy = ground().await;
        legacy.write("notes.toml", &format!("{TEMPLATE}[soak]\ndays = 2\n[retire]\ngrace = 1\n"));
        let now = (jiff::Timestamp::now().as_second() / DAY + 1) * DAY + DAY / 2;
        let story = Self { legacy, now };
        for words in ["plan", "apply", "verify --record"] {
            story.fleet(0, words);
        }
        story
    }

    /// Runs a command on the fleet that must end with this code; gives back its data.
    #[track_caller]
    fn fleet(&self, code: i32, words: &str) -> Value {
        let ran = self.run(&format!("fleet {words} --json tenants.toml"));
        assert_eq!(ran.code, code, "{words}: {ran}");
        ran.json()
    }

    fn run(&self, words: &str) -> crate::support::Ran {
        let clock = self.now.to_string();
        self.legacy.run_with(words, &[("HEIRLOOM_TEST_CLOCK", clock.as_str())])
    }

    /// Behind everybody's back.
    async fn tamper(&self, sql: &str) {
        self.legacy.sql(&format!("begin; set local session_replication_role = replica; {sql}; commit")).await;
    }
}

fn notes(line: &Value) -> String {
    line["notes"].to_string()
}

#[track_caller]
fn all_are(told: &Value, state: &str) {
    assert!(states(told).iter().all(|(_, found)| found == state), "{state}: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn four_teams_are_watched_until_their_tables_go() {
    let mut story = Story::verified().await;
    let looked = story.fleet(0, "soak --check-only");
    assert!(notes(line(&looked, "hongming")).contains("the soak could start"), "{looked}");
    all_are(&story.fleet(0, "status"), "verified");
    for counted in 1..=3 {
        let swept = story.fleet(0, "soak");
        all_are(&swept, if counted == 3 { "soaked" } else { "soaking" });
        assert!(swept["tenants"].as_array().unwrap().iter().all(|line| line["soaked_days"] == counted), "{swept}");
        assert_eq!(swept["totals"]["verified"], 65);
        if counted < 3 {
            story.now += DAY;
        }
    }

    // A row of the first team was set aside and waits: its table stays, the others' may go.
    let would = story.fleet(3, "retire --check-only");
    let message = line(&would, "agents-team")["failure"]["message"].as_str().unwrap();
    assert!(message.contains("a gate is short: no-open-rejects, last-sweep, archive"), "{message}");
    assert!(line(&would, "hongming")["failure"].is_null(), "{would}");
    all_are(&story.fleet(0, "status"), "soaked");
    let retired = story.fleet(3, "retire");
    assert_eq!(retired["totals"]["failed"], 1, "{retired}");
    assert!(
        notes(line(&retired, "hongming")).contains("hongming.note is kept as hongming.note__retired_"),
        "{retired}"
    );
    let there = "select string_agg(c.relnamespace::regnamespace::text, ' ' order by 1) from pg_class c where c.relname = 'note'";
    assert_eq!(story.legacy.one(there).await, "agents_team");

    // The others go on, and a table that was put away is no failure of theirs.
    let gone = ["hongming", "chloe-dong", "reno-stars"];
    for dropped in [false, true] {
        for words in ["soak", "verify", "apply", "status"] {
            let told = story.fleet(0, words);
            for tenant in gone {
                assert_eq!(line(&told, tenant)["state"], "retired", "{words}: {told}");
                if words != "status" {
                    assert!(notes(line(&told, tenant)).contains("its table is retired"), "{words}: {told}");
                }
            }
            assert_eq!(line(&told, "agents-team")["state"], "soaked");
        }
        if !dropped {
            let early = story.fleet(3, "retire --except agents-team");
            assert_eq!((&early["totals"]["failed"], states(&early).len()), (&3.into(), 3), "{early}");
            story.now += DAY;
            let done = story.fleet(0, "retire --except agents-team");
            assert!(notes(line(&done, "chloe-dong")).contains("is dropped; its archive is what is left"), "{done}");
            assert_eq!(story.legacy.one("select count(*) from pg_class where relname like 'note\\_\\_%'").await, "0");
            story.fleet(0, "retire --except agents-team");
        }
    }
    // What was counted is what was found last, and not what the proof of the first day said.
    let namespace = "namespace = 'custom:agents-team'";
    story
        .tamper(&format!(
            "delete from heirloom.memory where id = (select id from heirloom.memory where {namespace} limit 1)"
        ))
        .await;
    let found = story.fleet(3, "soak --only agents-team");
    let equal = line(&found, "agents-team")["verified"].clone();
    let status = story.fleet(0, "status --only agents-team");
    assert_eq!(line(&status, "agents-team")["verified"], equal, "{status}");

    // One of them changes its mind, and is watched again from nothing.
    let back = story.run("unretire tenants/reno-stars.plan.json");
    assert_eq!(back.code, 0, "{back}");
    let swept = story.fleet(0, "soak --only reno-stars,hongming");
    assert_eq!(
        (&line(&swept, "reno-stars")["state"], &line(&swept, "reno-stars")["soaked_days"]),
        (&"soaking".into(), &1.into())
    );
    assert_eq!(line(&swept, "hongming")["state"], "retired");
    story.legacy.close().await;
}

/// Killed between a commit and what says so, in the middle of the fleet: the same command goes on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_soak_and_a_retirement_that_are_killed_go_on() {
    let mut story = Story::verified().await;
    let killed = |story: &Story, words: &str, point: &str| {
        let mut command = story.legacy.home.command();
        command.args(["fleet"]).args(words.split(' ')).args(["tenants.toml", "--parallel", "1"]);
        command.envs(story.legacy.variables()).env("HEIRLOOM_TEST_CLOCK", story.now.to_string());
        let output = command.env("HEIRLOOM_FAILPOINTS", format!("{point}=abort")).output().unwrap();
        assert!(output.status.code().is_none(), "{point}: it was killed: {output:?}");
    };
    // It soaks, and its head is not outside yet: that is no head that was lost.
    killed(&story, "soak", "soak.after-commit");
    for counted in 1..=3 {
        killed(&story, "soak", "sweep.after-commit");
        killed(&story, "soak", "head.before-file");
        let swept = story.fleet(0, "soak");
        assert!(swept["tenants"].as_array().unwrap().iter().all(|line| line["soaked_days"] == counted), "{swept}");
        if counted < 3 {
            story.now += DAY;
        }
    }
    // One of them has a row that waits.
    let retire = "retire --except agents-team";
    killed(&story, retire, "archived.after-commit");
    killed(&story, retire, "rename.after-commit");
    all_are(&story.fleet(0, retire), "retired");
    story.now += DAY;
    killed(&story, retire, "drop.after-commit");
    let dropped = story.fleet(0, retire);
    assert_eq!(dropped["totals"]["failed"], 0, "{dropped}");
    assert_eq!(story.legacy.one("select count(*) from pg_class where relname like 'note\\_\\_%'").await, "0");
    let dropped = "select count(*) from heirloom_migrate.audit where what = 'dropped'";
    assert_eq!(story.legacy.one(dropped).await, "3");
    for tenant in ["hongming", "chloe-dong", "reno-stars"] {
        let plan = format!("tenants/{tenant}.plan.json");
        for words in [format!("audit check {plan}"), format!("unretire {plan} --check-only")] {
            let ran = story.run(&words);
            assert_eq!(ran.code, 0, "{words}: {ran}");
        }
    }
    story.legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenants_answers_are_compared_and_it_gates_nothing() {
    let story = Story::verified().await;
    let file = story.legacy.home.path().join("tenants.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("[defaults]\n", "[defaults]\nshadow = \"asked.jsonl\"\n");
    std::fs::write(&file, text.replace("name = \"reno-stars\"\n", "name = \"reno-stars\"\nshadow = \"none.jsonl\"\n"))
        .unwrap();
    story.legacy.write(
        "asked.jsonl",
        "{\"query\": \"hongming keeps note 7\", \"namespaces\": [\"custom:hongming\"], \"old\": [\"7\", \"99\"]}\n\
         {\"query\": \"agents-team keeps note 3\", \"namespaces\": [\"custom:agents-team\"], \"old\": [\"3\"]}\n",
    );
    let swept = story.fleet(0, "soak");
    let of = |told: &Value, tenant: &str| line(told, tenant)["shadow"].clone();
    for (tenant, queries, overlap) in [("hongming", 1, 1.0), ("agents-team", 1, 1.0), ("chloe-dong", 0, 0.0)] {
        let shadow = of(&swept, tenant);
        assert_eq!(
            (&shadow["queries"], shadow["overlap"].as_f64()),
            (&queries.into(), Some(overlap)),
            "{tenant}: {swept}"
        );
        assert_eq!(shadow["elsewhere"], 2 - queries, "{tenant}: {swept}");
    }
    assert!(notes(line(&swept, "reno-stars")).contains("shadow recall was not asked to the end: "), "{swept}");
    // By the plan that it soaks with: what is asked is no part of one.
    let status = story.fleet(0, "status");
    assert_eq!(of(&status, "hongming"), of(&swept, "hongming"));
    let shown = story.run("fleet soak tenants.toml --only hongming").stdout;
    assert!(shown.contains("tenant    questions  answered  overlap@10  rank shift"), "{shown}");
    assert!(shown.contains("hongming          1         1       100 %         0.0"), "{shown}");
    story.fleet(0, "report --out shown");
    let read = |name: &str| std::fs::read_to_string(story.legacy.home.path().join(name)).unwrap();
    assert!(read("shown/fleet.md").contains("| hongming | 1 | 1 | 100 % | 0.0 |"));
    assert!(read("shown/fleet.html").contains("Overlap@10"));
    story.legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_template_ends_no_soak_in_silence_and_strands_nobody() {
    let mut story = Story::verified().await;
    for _ in 0..3 {
        story.fleet(0, "soak");
        story.now += DAY;
    }
    story.fleet(0, "retire --only hongming");
    let plan = story.legacy.home.path().join("tenants/chloe-dong.plan.json");
    let before = std::fs::read_to_string(&plan).unwrap();
    let template = |days: u32| format!("{TEMPLATE}[soak]\ndays = {days}\n[retire]\ngrace = 1\n");
    story.legacy.write("notes.toml", &template(1));

    // Who soaks keeps its plan, and is told what to do; nobody is retired by the new file.
    let told = story.fleet(3, "plan");
    let message = line(&told, "chloe-dong")["failure"]["message"].as_str().unwrap();
    assert!(message.contains("it soaks: 3 days count") && message.contains("--again"), "{message}");
    assert_eq!(std::fs::read_to_string(&plan).unwrap(), before, "the plan that soaks was overwritten");
    for words in ["soak", "retire", "status", "verify"] {
        let told = story.fleet(3, words);
        let message = line(&told, "chloe-dong")["failure"]["message"].as_str().unwrap();
        assert!(message.contains("template changed since it was made"), "{words}: {message}");
        assert_eq!(message.contains("it soaks") && message.contains("put back"), words == "soak", "{words}: {message}");
        if words != "retire" {
            assert!(line(&told, "hongming")["failure"].is_null(), "{words}: {told}");
        }
        assert_eq!(line(&told, "hongming")["run_id"], line(&story.fleet(3, "status"), "hongming")["run_id"]);
    }
    let planned = story.fleet(0, "plan --only hongming");
    assert!(notes(line(&planned, "hongming")).contains("its plan stays"), "{planned}");

    // What is put away goes its way all the same, and comes back.
    story.now += DAY;
    let dropped = story.fleet(0, "retire --only hongming");
    assert!(notes(line(&dropped, "hongming")).contains("is dropped"), "{dropped}");
    let back = story.run("unretire tenants/hongming.plan.json");
    assert_eq!(back.code, 0, "{back}");

    // With the template put back the soak goes on; by name it begins again.
    story.legacy.write("notes.toml", &template(2));
    let swept = story.fleet(0, "soak --only chloe-dong");
    assert_eq!(line(&swept, "chloe-dong")["soaked_days"], 4, "{swept}");
    story.legacy.write("notes.toml", &template(1));
    let again = story.fleet(0, "plan --again --only chloe-dong");
    assert!(
        notes(line(&again, "chloe-dong")).contains("4 days of the soak of the plan before count no more"),
        "{again}"
    );
    assert_ne!(std::fs::read_to_string(&plan).unwrap(), before);
    story.legacy.close().await;
}

/// Takes a POST at a time, answers with this status, and hands on head and body.
fn listener(status: &'static str) -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if tell.send(request(stream, status)).is_err() {
                break;
            }
        }
    });
    (address, told)
}

fn request(mut stream: TcpStream, status: &str) -> (String, Value) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 1_024]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).unwrap();
                return (head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or_default());
            }
        }
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the request ended early: {text}");
        bytes.extend_from_slice(&buffer[..read]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_and_an_address_are_told_of_each_tenants_divergence() {
    let mut story = Story::verified().await;
    let (address, told) = listener("204 No Content");
    let settings = |address: &str| {
        format!(
            "[notify]\ncommand = [\"/usr/bin/tee\", \"-a\", \"told\"]\nwebhook = \"http://{address}/hooks/hunter2?key=hunter2\"\n"
        )
    };
    story.legacy.write("tell.toml", &settings(&address));
    let soak = "soak --parallel 1 --config tell.toml";
    story.fleet(0, soak);
    story.now += DAY;
    story
        .tamper(
            "update heirloom.memory set content = content || '!' where content = 'hongming keeps note 7';
             delete from heirloom.memory where namespace = 'custom:reno-stars' and content like '% note 3'",
        )
        .await;
    let found = story.fleet(3, soak);
    assert_eq!(found["totals"]["failed"], 2, "{found}");
    let message = line(&found, "hongming")["failure"].to_string();
    assert!(message.contains("`heirloom soak status tenants/hongming.plan.json` names row and column"), "{message}");
    assert_eq!(
        (&line(&found, "agents-team")["failure"], &line(&found, "agents-team")["soaked_days"]),
        (&Value::Null, &2.into())
    );

    // Both notifiers got the same, a message a tenant, and none of the clean tenants and the clean day before.
    let program = std::fs::read_to_string(story.legacy.home.path().join("told")).unwrap();
    let program: Vec<Value> = serde_json::Deserializer::from_str(&program).into_iter().map(Result::unwrap).collect();
    let posted: Vec<(String, Value)> = told.try_iter().collect();
    assert_eq!(posted.iter().map(|(_, body)| body).collect::<Vec<_>>(), program.iter().collect::<Vec<_>>());
    let kinds: Vec<(&Value, &Value)> = program.iter().map(|told| (&told["tenant"], &told["kinds"])).collect();
    let (altered, missing) = (serde_json::json!({ "altered": 1 }), serde_json::json!({ "missing": 1 }));
    assert_eq!(kinds, [(&"hongming".into(), &altered), (&"reno-stars".into(), &missing)]);
    for (head, body) in &posted {
        assert!(head.starts_with("post /hooks/hunter2?key=hunter2 http/1.1"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        assert_eq!((&body["event"], &body["divergences"]), (&"divergence".into(), &1.into()));
        assert!(!body.to_string().contains("keeps note"), "content leaves the house: {body}");
    }

    // One that refuses is told in the tenant's line, without its secret; the divergence is written down all the same.
    let (address, told) = listener("500 Internal Server Error");
    story.legacy.write("tell.toml", &settings(&address));
    story.now += 60;
    let ran = story.run("fleet soak tenants.toml --json --only hongming --config tell.toml");
    assert_eq!((ran.code, told.try_iter().count()), (3, 1), "{ran}");
    assert!(notes(line(&ran.json(), "hongming")).contains("notify.webhook: answered with 500"), "{ran}");
    assert!(!ran.to_string().contains("hunter2"), "{ran}");
    // Only looking tells nobody.
    story.fleet(3, "soak --check-only --config tell.toml");
    assert_eq!(told.try_iter().count(), 0);
    story.legacy.close().await;
}

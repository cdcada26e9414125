//! Into a memory plugin that runs, end to end by the binary: whole, twice, changed behind its back, killed at any moment.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::door::Door;
use crate::legacy::Legacy;
use crate::support::Ran;

/// A hundred and twenty rows in one namespace, more than a search shows; twenty in another; one that is over, one retired.
const TABLE: &str = "
    create table notes (
        id uuid primary key, team text not null, body text not null, pinned boolean not null default false, tags jsonb,
        made timestamptz, ends timestamptz, live boolean not null default true
    );
    insert into notes (id, team, body, pinned, tags, made, ends)
    select md5('note ' || g)::uuid, case when g <= 120 then 'big' else 'small' end,
           'Note ' || g || ': shard ' || 1000 + g || ' is compacted nightly' || E'\\r\\n' || chr(20000 + g), g % 7 = 0,
           case when g % 3 = 0 then jsonb_build_object('n', g / 2.0, 'of', null) when g % 3 = 1 then '{}' end,
           timestamptz '2026-01-01' + g * interval '1.000001 s',
           case when g = 5 then timestamptz 'infinity' when g = 6 then timestamptz '2099-01-01 00:00:00.000001+02'
                when g = 140 then timestamptz '2020-01-01' end
      from generate_series(1, 140) g;
    insert into notes (id, team, body, live) values (md5('retired')::uuid, 'small', 'This one was retired', false);
";

fn file(target: &str) -> String {
    format!(
        "name = \"notes\"\n[source]\nurl = \"store\"\ntable = \"notes\"\n[target]\nurl = \"env:PLUGIN\"\n{target}\n\
         [id]\nfrom = \"key\"\n[namespace]\ntemplate = \"team:{{team}}\"\n[map]\ncontent = \"body\"\n\
         kind = {{ value = \"fact\" }}\nsource = {{ value = \"user\" }}\npin = \"pinned\"\npropagation = \"tags\"\n\
         created_at = \"made\"\nexpires_at = \"ends\"\nis_active = \"live\"\n[reject]\nbudget = \"1\"\n"
    )
}

/// A legacy table with the ledger beside it, and a plugin in a process of its own.
struct Beside {
    legacy: Legacy,
    served: Door,
    url: String,
}

impl Beside {
    async fn new(target: &str) -> Self {
        let legacy = Legacy::new(TABLE).await;
        std::fs::write(legacy.home.path().join("notes.toml"), file(target)).unwrap();
        let served = Door::start("plugin", &[("MEMORY_PLUGIN_LISTEN_ADDR", "127.0.0.1:0")]).await;
        let url = format!("plugin+{}/", served.url());
        Self { legacy, served, url }
    }

    fn run(&self, words: &str) -> Ran {
        let mut variables = self.legacy.variables();
        variables.push(("PLUGIN", &self.url));
        self.legacy.home.run_with(words, &variables)
    }

    #[track_caller]
    fn ends(&self, code: i32, words: &str) -> Value {
        let ran = self.run(&format!("{words} --json"));
        assert_eq!(ran.code, code, "`{words}`: {ran}");
        ran.json()
    }

    /// How many memories were sent, by the plugin's log.
    fn written(&self) -> usize {
        self.served.log().matches("route=\"/v1/namespaces/{name}/memories\"").count()
    }

    /// The id of a note.
    async fn id(&self, note: &str) -> String {
        self.legacy.one(&format!("md5('{note}')::uuid")).await
    }

    /// Says something else under a note's id, as a caller of the plugin does.
    async fn edit(&self, note: &str, team: &str, content: &str) {
        let id = self.id(note).await;
        let body = json!({ "id": id, "content": content, "kind": "fact", "source": "user" }).to_string();
        self.served.ask("POST", &format!("/v1/namespaces/team:{team}/memories"), &body).await.is(201);
    }

    async fn forget(&self, note: &str, team: &str) {
        let id = self.id(note).await;
        let body = json!({ "requested_by_namespace": format!("team:{team}") }).to_string();
        self.served.ask("DELETE", &format!("/v1/memories/{id}"), &body).await.is(204);
    }

    async fn close(self) {
        assert_eq!(self.served.stop().await, Some(0));
        self.legacy.close().await;
    }
}

/// Class, key and column of each difference, sorted.
fn differences(found: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all: Vec<_> = found["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (text(&one["class"]), text(&one["key"][0]), text(&one["column"])))
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_arrive_whole_and_a_second_time_nothing_is_written() {
    let beside = Beside::new("").await;
    let plan = beside.ends(0, "plan notes.toml");
    assert_eq!((&plan["counts"]["accepted"], &plan["counts"]["rejected"]), (&140.into(), &1.into()), "{plan}");
    let lost = plan["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == "not-carried").unwrap();
    assert_eq!(lost["what"], "the target has no place for created_at of 140 rows");
    let done = beside.ends(0, "apply notes.plan.json");
    assert_eq!((&done["inserted"], &done["rejected"]), (&140.into(), &1.into()), "{done}");

    let found = beside.ends(0, "verify notes.plan.json --record");
    assert_eq!(
        (&found["equal"], &found["explained"], &found["holds"]),
        (&139.into(), &json!({ "expired": 1 }), &true.into())
    );
    assert_eq!((found.get("unseen"), &found["partly_shown"]), (None, &1.into()), "every row was found by its words");
    let shown = ["namespace", "kind", "source", "content", "pin", "propagation", "expires_at"];
    assert_eq!(found["not_shown"].as_array().unwrap().len(), 30 - shown.len());

    let before = beside.written();
    assert_eq!(before, 140);
    let again = beside.ends(0, "apply notes.plan.json");
    assert_eq!((&again["written"], &again["present"]), (&0.into(), &140.into()));
    // Another plan, whose ledger knows what was handed down.
    let plan = beside.ends(0, "plan notes.toml");
    // A hundred of the big namespace, and all of the small one but the one that is over.
    assert_eq!(plan["counts"]["present"], 119, "as far as it shows");
    let again = beside.ends(0, "apply notes.plan.json");
    assert_eq!((&again["written"], &again["present"]), (&0.into(), &140.into()));
    assert_eq!(beside.written(), before, "nothing was sent that was there");
    // Its times were kept, since it takes what the contract does not know.
    let asked = r#"{"namespaces":["team:small"],"query":"1133"}"#;
    let answer = beside.served.ask("POST", "/v1/search", asked).await.is(200);
    assert_eq!(answer["memories"][0]["created_at"], "2026-01-01T00:02:13.000133Z");
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_s_changes_are_told_apart() {
    let beside = Beside::new("concurrency = 3").await;
    beside.ends(0, "plan notes.toml");
    beside.ends(0, "apply notes.plan.json");
    // There alone: edited and taken away, where all is shown and where it is not; and a note of somebody else's.
    beside.edit("note 133", "small", "Note 133 says something else now").await;
    beside.edit("note 9", "big", "Note 9: shard 1009 is compacted hourly").await;
    beside.forget("note 134", "small").await;
    beside.forget("note 10", "big").await;
    beside.edit("nobody", "small", "Somebody else says this").await;
    let found = beside.ends(3, "verify notes.plan.json");
    let [n9, n10, n133, n134] = [
        beside.id("note 9").await,
        beside.id("note 10").await,
        beside.id("note 133").await,
        beside.id("note 134").await,
    ];
    let mut expected = vec![
        ("missing".to_owned(), n10, String::new()),
        ("missing".to_owned(), n134.clone(), String::new()),
        ("altered".to_owned(), n9.clone(), "content".to_owned()),
        ("altered".to_owned(), n133.clone(), "content".to_owned()),
    ];
    // The edits left out the pin and the rest, as an edit of a plugin does.
    expected.push(("altered".to_owned(), n9, "propagation".to_owned()));
    expected.push(("altered".to_owned(), n133.clone(), "pin".to_owned()));
    expected.sort();
    assert_eq!(differences(&found), expected);
    let live = found["live_rows"].as_u64().unwrap();
    assert_eq!(live, 1, "the note of somebody else's");

    // At the source as well: what was edited or taken away there stays so, what was not says what the source says.
    beside
        .legacy
        .sql("update notes set body = body || '!' where id in (md5('note 133')::uuid, md5('note 134')::uuid, md5('note 135')::uuid, md5('note 11')::uuid)")
        .await;
    let done = beside.ends(0, "apply notes.plan.json");
    assert_eq!((&done["updated"], &done["conflicts"], &done["forgotten"]), (&2.into(), &1.into(), &1.into()), "{done}");
    let asked = r#"{"namespaces":["team:small"],"limit":100}"#;
    let small = beside.served.ask("POST", "/v1/search", asked).await.is(200);
    let texts: Vec<&str> =
        small["memories"].as_array().unwrap().iter().map(|row| row["content"].as_str().unwrap()).collect();
    assert!(texts.contains(&"Note 133 says something else now"));
    assert!(texts.iter().any(|text| text.starts_with("Note 135") && text.ends_with('!')));
    assert!(!texts.iter().any(|text| text.starts_with("Note 134")), "what was taken away does not come back");
    // Gone at the source, and still there.
    beside.legacy.sql("delete from notes where id = md5('note 136')::uuid").await;
    let found = beside.ends(3, "verify notes.plan.json");
    let left: Vec<_> = differences(&found).into_iter().filter(|(class, ..)| class == "unexpected").collect();
    assert_eq!(left, [("unexpected".to_owned(), beside.id("note 136").await, String::new())], "{n134}");
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_goes_on_and_nothing_comes_twice() {
    let beside = Beside::new("concurrency = 2").await;
    beside.ends(0, "plan notes.toml --chunk-rows 20");
    let mut moments = Vec::new();
    for _ in 0..4 {
        let mut command = beside.legacy.home.command();
        command.args(["apply", "notes.plan.json"]).envs(beside.legacy.variables()).env("PLUGIN", &beside.url);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // So many more rows that arrive are the clock.
        let wanted = beside.written() + (RandomState::new().build_hasher().finish() % 25) as usize;
        let (send, ended) = std::sync::mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            let told: Vec<String> = stderr.lines().map_while(Result::ok).collect();
            send.send(told)
        });
        while beside.written() < wanted {
            if let Ok(told) = ended.recv_timeout(Duration::from_millis(1)) {
                panic!("it ended by itself: {told:?}");
            }
        }
        moments.push(beside.written());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(beside.written() < 140, "there was something left to do: {moments:?}");
    let done = beside.ends(0, "apply notes.plan.json");
    assert_eq!((&done["state"], &done["rejected"]), (&"applied".into(), &1.into()), "{moments:?}: {done}");
    let found = beside.ends(0, "verify notes.plan.json");
    assert_eq!((&found["equal"], &found["explained"]["expired"]), (&139.into(), &1.into()), "{moments:?}: {found}");
    // By its own eyes.
    let counts = beside.served.run("stats -n team:big -n team:small --json").json();
    let memories: Vec<&Value> = counts["counts"].as_array().unwrap().iter().map(|one| &one["memories"]).collect();
    assert_eq!(memories, [120, 20], "{moments:?}");
    let again = beside.ends(0, "apply notes.plan.json");
    assert_eq!((&again["written"], &again["present"]), (&0.into(), &140.into()), "{moments:?}");
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_plugin_or_wants_a_token_says_so() {
    let mut beside = Beside::new("").await;
    let well = std::mem::replace(&mut beside.url, "plugin+http://127.0.0.1:1".to_owned());
    let ran = beside.run("plan notes.toml");
    assert!(ran.code == 4 && ran.stderr.contains("The plugin at http://127.0.0.1:1 does not answer"), "{ran}");
    beside.url = format!("{}nowhere", well);
    let ran = beside.run("plan notes.toml");
    assert!(ran.code == 3 && ran.stderr.contains("is no memory plugin: HTTP status 404"), "{ran}");
    beside.url = well.replace("http://", "http://someone:hunter2@");
    let ran = beside.run("plan notes.toml");
    assert!(!format!("{ran}").contains("hunter2"), "{ran}");
    // A literal password or token is no part of a file.
    for (line, says) in [
        ("url = \"plugin+http://someone:hunter2@127.0.0.1:9100\"", "has a password in it"),
        ("url = \"env:PLUGIN\"\ntoken = \"hunter2\"", "write env:NAME or file:PATH"),
        (
            "url = \"env:PLUGIN\"\ntoken = \"env:NOBODY_SET_THIS\"",
            "env:NOBODY_SET_THIS is not set; set it to the token",
        ),
        ("url = \"env:PLUGIN\"\nconcurrency = 0", "write a whole number of requests, 1 to 64"),
        ("url = \"env:PLUGIN\"\ndimension = 0.5", "write a whole number of dimensions, 1 to 16000"),
    ] {
        std::fs::write(beside.legacy.home.path().join("bad.toml"), file("").replace("url = \"env:PLUGIN\"", line))
            .unwrap();
        let ran = beside.run("plan bad.toml");
        assert!(ran.code == 1 && ran.stderr.replace('\n', " ").contains(says), "{line}: {ran}");
        assert!(!format!("{ran}").contains("hunter2"), "{ran}");
    }
    beside.url = well;
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_comes_by_reference_and_is_told_to_nobody() {
    let legacy = Legacy::new(TABLE).await;
    std::fs::write(legacy.home.path().join("notes.toml"), file("token = \"env:PLUGIN_TOKEN\"")).unwrap();
    let served = Door::start("serve --listen 127.0.0.1:0", &[]).await;
    let (all, small) =
        (served.token("writer -n team:* --right write"), served.token("narrow -n team:small --right write"));
    let url = format!("plugin+{}", served.url());
    let run = |token: &str, words: &str| {
        let mut variables = legacy.variables();
        variables.extend([("PLUGIN", url.as_str()), ("PLUGIN_TOKEN", token)]);
        let ran = legacy.home.run_with(words, &variables);
        assert!(token.is_empty() || !format!("{ran}").contains(token), "{ran}");
        ran
    };
    let ran = run("nobody-gave-this-one", "plan notes.toml");
    assert!(ran.code == 3 && ran.stderr.contains("HTTP 401"), "{ran}");
    let ran = run("two words", "plan notes.toml");
    assert!(ran.code == 1 && ran.stderr.contains("something in it that no token has"), "{ran}");
    assert_eq!(run(&all, "plan notes.toml").code, 0);
    let plan = std::fs::read_to_string(legacy.home.path().join("notes.plan.json")).unwrap();
    assert!(!plan.contains(&all), "the plan holds the token");
    // One that may not write to the big namespace: each row's fate, and more than the file allows.
    let ran = run(&small, "apply notes.plan.json");
    assert!(ran.code == 3 && ran.stderr.contains("rows would be set aside"), "{ran}");
    let ran = run(&all, "apply notes.plan.json");
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(run(&all, "verify notes.plan.json").code, 0);
    assert_eq!(served.stop().await, Some(0));
    legacy.close().await;
}

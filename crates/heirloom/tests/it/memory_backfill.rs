//! `memory-backfill`, the platform's command on our engine: its flags and variables, its last line, honest exit codes, and
//! through a plugin that runs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::legacy::Legacy;
use crate::support::Ran;

const ROOT: &str = "00000000-0000-4000-8000-00000000000a";
const CHILD: &str = "00000000-0000-4000-8000-00000000000b";

/// Two workspaces; one row of the child is blank, one has no workspace. On the embedded engine only one process has the store
/// open, so that a plugin beside it is tried on a server.
fn table() -> String {
    format!(
        "create table workspaces (id uuid primary key, name text not null, parent_id uuid);
         insert into workspaces values ('{ROOT}', 'root', null), ('{CHILD}', 'child', '{ROOT}');
         create table agent_memories (
             id uuid primary key default gen_random_uuid(), workspace_id uuid, content text not null, scope varchar(10) not null,
             created_at timestamptz default now(), updated_at timestamptz default now(),
             namespace varchar(50) not null default 'general'
         );
         insert into agent_memories (workspace_id, content, scope, created_at)
         select case when g % 2 = 0 then '{ROOT}'::uuid else '{CHILD}'::uuid end, 'fact number ' || g,
                case when g % 5 = 0 then 'TEAM' else 'LOCAL' end, timestamptz '2026-01-01' + g * interval '1 hour'
         from generate_series(1, 30) g;
         insert into agent_memories (workspace_id, content, scope, created_at) values
             ('{CHILD}', '   ', 'LOCAL', '2026-03-01'), (null, 'nobody said this', 'LOCAL', '2026-03-02');"
    )
}

const URL: (&str, &str) = ("MEMORY_PLUGIN_URL", "http://127.0.0.1:1/");

fn backfill(legacy: &Legacy, flags: &str, more: &[(&str, &str)]) -> Ran {
    let mut variables = legacy.variables();
    variables.extend(more);
    legacy.home.run_with(&format!("compat memory-backfill {flags}"), &variables)
}

#[track_caller]
fn ends(ran: &Ran, code: i32, line: &str) {
    assert_eq!(ran.code, code, "{ran}");
    assert_eq!(ran.stdout.lines().last(), Some(line), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_validates_every_row_and_writes_nothing() {
    let legacy = Legacy::new(&table()).await;
    for flag in ["-dry-run", "--dry-run", "--check-only", "-check-only=true"] {
        let ran = backfill(&legacy, flag, &[URL]);
        ends(&ran, 3, "Backfill complete: scanned=32 copied=30 skipped=0 errors=2");
        assert!(ran.stdout.contains("[dry] ns=workspace:00000000"), "{ran}");
    }
    // The blank row and the one that belongs to nobody are the newest.
    ends(
        &backfill(&legacy, "-dry-run -limit 30", &[URL]),
        0,
        "Backfill complete: scanned=30 copied=30 skipped=0 errors=0",
    );
    let ran = backfill(&legacy, &format!("-dry-run -workspace={ROOT}"), &[URL]);
    ends(&ran, 0, "Backfill complete: scanned=15 copied=15 skipped=0 errors=0");
    assert!(legacy.untouched().await, "a dry run wrote something");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_wrong_is_said_and_ends_badly() {
    let legacy = Legacy::new("select 1").await;
    for (code, flags, variables, said) in [
        (2, "", vec![URL], "one of -dry-run"),
        (2, "-apply -verify", vec![URL], "2 of them given"),
        (2, "-verify -verify-sample 0", vec![URL], "-verify-sample `0` is no whole number above 0"),
        (1, "-dry-run", vec![], "MEMORY_PLUGIN_URL: it is required"),
        (1, "-dry-run", vec![("MEMORY_PLUGIN_URL", "localhost")], "it is no address of a plugin"),
        (4, "-apply", vec![URL], "The plugin at http://127.0.0.1:1 does not answer"),
        (1, "-dry-run", vec![URL], "there is no table public.agent_memories"),
    ] {
        let ran = backfill(&legacy, flags, &variables);
        assert_eq!(ran.code, code, "{flags}: {ran}");
        assert!(ran.stderr.replace('\n', " ").contains(said), "{flags}: {ran}");
    }
    let ran = legacy.home.run_with("compat memory-backfill -dry-run", &[URL]);
    assert!(ran.code == 1 && ran.stderr.contains("DATABASE_URL: it is required"), "{ran}");
    assert!(legacy.untouched().await);
    legacy.close().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn called_by_its_name_it_is_the_command() {
    let legacy = Legacy::new(&table()).await;
    let name = legacy.home.path().join("memory-backfill");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_heirloom"), &name).unwrap();
    let run = |flags: &[&str]| {
        let mut command = std::process::Command::new(&name);
        command.env_clear().current_dir(legacy.home.path()).env("HOME", legacy.home.path()).args(flags);
        command.envs(legacy.variables()).env(URL.0, URL.1).output().unwrap()
    };
    let out = run(&["-dry-run", "-limit=30"]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&out.stderr));
    assert!(text.ends_with("\nBackfill complete: scanned=30 copied=30 skipped=0 errors=0\n"), "{text}");
    assert_eq!(run(&["-nonsense"]).status.code(), Some(2));
    legacy.close().await;
}

/// A plugin of ours as a process, on this database.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(legacy: &Legacy) -> Self {
        let mut command = legacy.home.command();
        command.args(["plugin", "--listen", "127.0.0.1:0"]).envs(legacy.variables());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = child.stderr.take().unwrap();
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // Read to its end, so that the plugin never waits for a reader.
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once(" at http://") {
                    let _ = send.send(format!("http://{url}"));
                }
            }
        });
        let url = receive.recv_timeout(std::time::Duration::from_secs(60)).expect("the plugin says where it listens");
        Self { child, url }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_plugin_that_runs_rows_are_copied_once_shown_and_verified() {
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let legacy = Legacy::new(&table()).await;
    let served = Served::start(&legacy);
    // A slash at the end is no part of the address.
    let url = format!("{}/", served.url);
    let plugin = [("MEMORY_PLUGIN_URL", url.as_str())];
    let before = legacy.one("select md5(string_agg(m::text, ',' order by id)) from agent_memories m").await;

    let ran = backfill(&legacy, &format!("-apply -workspace {ROOT}"), &plugin);
    ends(&ran, 0, "Backfill complete: scanned=15 copied=15 skipped=0 errors=0");
    let ran = backfill(&legacy, &format!("-verify -workspace {ROOT}"), &plugin);
    assert_eq!((ran.code, ran.stdout.contains("mismatches=0 errors=0")), (0, true), "{ran}");

    // All of it: what is there already is skipped, what cannot be handed down is an error, listed and told by the exit code.
    let ran = backfill(&legacy, "-apply", &plugin);
    ends(&ran, 3, "Backfill complete: scanned=32 copied=15 skipped=15 errors=2");
    assert_eq!(ran.stdout.matches("[err-mem] id=").count(), 2, "{ran}");
    assert!(!ran.stdout.contains("nobody said this"), "content in the output: {ran}");
    ends(&backfill(&legacy, "-apply", &plugin), 3, "Backfill complete: scanned=32 copied=0 skipped=30 errors=2");
    let after = legacy.one("select md5(string_agg(m::text, ',' order by id)) from agent_memories m").await;
    assert_eq!(before, after, "the source was written to");

    ends(
        &backfill(&legacy, "-verify", &plugin),
        0,
        "Verify complete: workspaces_sampled=3 matches=30 mismatches=0 errors=0",
    );
    legacy.sql("update heirloom.memory set content = 'another' where content = 'fact number 7'").await;
    let ran = backfill(&legacy, "--verify --verify-sample=1", &plugin);
    assert_eq!(ran.code, 3, "{ran}");
    assert!(ran.stdout.contains("[mismatch] id=") && ran.stdout.contains("column=content"), "{ran}");
    assert!(!ran.stdout.contains("another"), "content in the output: {ran}");

    // A plugin that keeps its memories elsewhere shows none of them.
    let other = Legacy::new("select 1").await;
    let elsewhere = Served::start(&other);
    let ran = backfill(&legacy, "-apply", &[("MEMORY_PLUGIN_URL", elsewhere.url.as_str())]);
    assert!(ran.code == 3 && ran.stdout.contains("plugin=0"), "{ran}");
    let mut variables = legacy.variables();
    variables.extend(plugin);
    let told: Value = legacy.home.run_with("compat memory-backfill --json -dry-run", &variables).json();
    assert_eq!((&told["scanned"], &told["skipped"], &told["errors"]), (&32.into(), &30.into(), &2.into()));
    drop((served, elsewhere));
    other.close().await;
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plugin_has_as_long_as_the_platform_says() {
    let legacy = Legacy::new(&table()).await;
    // It takes a connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let ran = backfill(&legacy, "-verify", &[("MEMORY_PLUGIN_URL", &url), ("MEMORY_PLUGIN_TIMEOUT", "250ms")]);
    assert!(ran.code == 4 && ran.stderr.contains("does not answer within 0.25 s"), "{ran}");
    let ran = backfill(&legacy, "-dry-run", &[URL, ("MEMORY_PLUGIN_TIMEOUT", "soon")]);
    assert!(ran.code == 1 && ran.stderr.contains("MEMORY_PLUGIN_TIMEOUT: `soon` was found"), "{ran}");
    legacy.close().await;
}

//! `docs/guides/backup.md`, command by command: dumped by an owner who is no superuser, restored on a server that has never
//! heard of our roles.
#![cfg(unix)]

use std::path::PathBuf;
use std::process::Output;

use heirloom_engine::testkit::TestDatabase;

use crate::guide::blocks;
use crate::own_server::{OwnServer, open};
use crate::support::Home;

const PAGE: &str = include_str!("../../../../docs/guides/backup.md");

const MIGRATION: &str = r#"
name = "note"
[source]
url = "store"
table = "public.note"
[namespace]
template = "custom:all"
[map]
content = "body"
kind = { value = "fact" }
"#;

/// The tables of the store and of the ledger, but for the record of applied objects.
const TABLES: &str = "select string_agg(c.oid::regclass::text, ' ' order by c.oid::regclass::text) from pg_class c
    where c.relnamespace in ('heirloom'::regnamespace, 'heirloom_migrate'::regnamespace) and c.relkind = 'r' and c.relname <> 'object'";

/// What is in them as a superuser reads it: a line each, with the number and a digest of its rows.
async fn content(url: &str) -> String {
    let mut text = String::new();
    for table in one(url, TABLES).await.split(' ') {
        let digest = "select count(*) || ' ' || coalesce(md5(string_agg(r::text, '\n' order by r::text)), '-') from";
        text.push_str(&format!("{table} {}\n", one(url, &format!("{digest} {table} r")).await));
    }
    text
}

/// Words of a shell, with the programs of the server and with ours in its path.
fn shell(home: &Home, programs: &str, words: &str, variables: &[(&str, &str)]) -> Output {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_heirloom"));
    let path = format!("{programs}:{}:/usr/bin:/bin", binary.parent().unwrap().display());
    let mut command = std::process::Command::new("sh");
    command.args(["-ec", words]).env_clear().current_dir(home.path()).env("HOME", home.path()).env("PATH", path);
    command.envs(variables.iter().copied()).output().unwrap()
}

#[track_caller]
fn done(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn refused(output: &Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(why), "{said}");
}

async fn one(url: &str, sql: &str) -> String {
    let database = open(url).await;
    let said = database.client().await.unwrap().query_one(sql, &[]).await.unwrap().get(0);
    database.close().await.unwrap();
    said
}

async fn run(url: &str, sql: &str) {
    let database = open(url).await;
    database.client().await.unwrap().batch_execute(sql).await.unwrap();
    database.close().await.unwrap();
}

/// A login that owns the database of this URL, may make roles, and is nothing more.
async fn plain_owner(url: &str, owner: &str) -> String {
    let name = url.rsplit('/').next().unwrap();
    run(
        url,
        &format!(
            "create role {owner} login password '{owner}' createrole; create extension vector;
             alter database {name} owner to {owner}; grant create on schema public to {owner};
             do $$ declare our text; begin
                 foreach our in array array['heirloom_serve', 'heirloom_audit', 'heirloom_service', 'heirloom_admin'] loop
                     if exists (select from pg_roles where rolname = our) then
                         execute format('grant %I to {owner} with admin true, inherit false, set true', our);
                     end if;
                 end loop;
             end $$"
        ),
    )
    .await;
    format!("postgres://{owner}:{owner}@{}", url.rsplit('@').next().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_owners_dump_comes_back_on_a_server_without_our_roles() {
    let Some(new) = OwnServer::start().await else { return };
    let old = TestDatabase::fresh().await;
    let (home, old_url) = (Home::new(), old.url().unwrap().to_owned());
    let owner = format!("owner_{}", uuid::Uuid::new_v4().simple());
    let source = plain_owner(&old_url, &owner).await;
    let programs = one(&old_url, "select setting from pg_config where name = 'BINDIR'").await;
    let at_old = [("DATABASE_URL", source.as_str())];
    let heirloom = |words: &str, url: &str| {
        let ran = home.run_with(words, &[("DATABASE_URL", url)]);
        assert_eq!(ran.code, 0, "{words}: {ran}");
        ran.stdout
    };
    heirloom("up", &source);
    for (namespace, text) in [("team:a", "quarterly"), ("team:b", "zanzibar"), ("team:a", "staging")] {
        heirloom(&format!("remember {text} --namespace {namespace}"), &source);
    }
    let token = heirloom("token create reader --namespace team:a --right read --json", &source);
    assert!(token.contains("secret"));
    let legacy = "create table public.note (id int primary key, body text); insert into public.note values (1, 'kept')";
    run(&source, legacy).await;
    std::fs::write(home.path().join("note.toml"), MIGRATION).unwrap();
    heirloom("plan note.toml", &source);
    heirloom("apply note.plan.json", &source);

    let sh: Vec<&str> = blocks(PAGE).into_iter().filter(|(fence, _)| *fence == "sh").map(|(_, block)| block).collect();
    let [dump, restore] = sh[..] else { panic!("{} blocks", sh.len()) };
    // What looks like a dump and holds nothing does not come to its end.
    let empty = "This dump would hold no memory";
    refused(&shell(&home, &programs, &dump.replace("heirloom.dump=on", "heirloom.dump=off"), &at_old), empty);
    refused(&shell(&home, &programs, &dump.replace("--enable-row-security ", ""), &at_old), "row-level security");
    done(&shell(&home, &programs, dump, &at_old));

    // The setting shows a serving login nothing.
    let serving = old.login("heirloom_serve").await;
    let login = serving.split_once("://").unwrap().1.split(':').next().unwrap().to_owned();
    assert_ne!(login, owner);
    let set = "set heirloom.dump = on; select count(*)::text from heirloom.memory";
    let database = open(&serving).await;
    let client = database.client().await.unwrap();
    let (set, count) = set.split_once("; ").unwrap();
    client.batch_execute(set).await.unwrap();
    assert_eq!(client.query_one(count, &[]).await.unwrap().get::<_, String>(0), "0");
    drop(client);
    database.close().await.unwrap();

    let target = plain_owner(&new.url(), "keeper").await;
    let at_new = [("NEW_URL", target.as_str())];
    let (first, then) = restore.split_once("DATABASE_URL").unwrap();
    done(&shell(&home, &programs, first, &at_new));
    // What was restored says that every object was applied, and the roles are not there.
    let ran = home.run_with("doctor", &[("DATABASE_URL", &target)]);
    assert_eq!(ran.code, 3, "{ran}");
    assert!(
        ran.stdout.contains("policies and grants are missing") && ran.stdout.contains("run `heirloom up`"),
        "{ran}"
    );
    let would = heirloom("up --check-only", &target);
    assert!(would.contains("policies and grants are missing"), "{would}");
    let said = done(&shell(&home, &programs, &format!("DATABASE_URL{then}"), &at_new));
    assert!(said.contains("policies and grants were missing and are there again"), "{said}");
    assert!(
        said.contains("every policy and grant of the roles is there") && said.contains("Nothing is wrong"),
        "{said}"
    );
    assert!(heirloom("up", &target).contains("there is nothing to do"));

    let kept = content(&old_url).await;
    assert!(kept.contains("heirloom.memory 4 ") && kept.contains("heirloom.token 1 "), "{kept}");
    assert_eq!(content(&new.url()).await, kept);
    let policies = "select count(*)::text || ' ' || string_agg(distinct tablename, ' ') from pg_policies where schemaname = 'heirloom'";
    assert_eq!(one(&new.url(), policies).await, one(&old_url, policies).await);
    // It serves, as a login of its own.
    let login = new.login("heirloom_serve, heirloom_audit").await;
    let found = heirloom("recall zanzibar --namespace team:b", &login);
    assert!(found.contains("zanzibar"), "{found}");
    assert!(heirloom("list --namespace custom:all", &login).contains("kept"));

    old.close().await;
    run(&std::env::var("HEIRLOOM_TEST_URL").unwrap(), &format!("drop owned by {owner}; drop role {owner}")).await;
}

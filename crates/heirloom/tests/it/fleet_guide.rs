//! `docs/guides/fleet-migration.md`, command by command: the four teams of the seed with their 2,052 rows, each in a database of
//! its own, under the roles that the guide makes. On a server; that every command is one is asked everywhere.

use std::collections::HashMap;

use heirloom_engine::testkit::TestDatabase;

use crate::guide::{blocks, commands, shown};
use crate::support::Home;

const PAGE: &str = include_str!("../../../../docs/guides/fleet-migration.md");

const TEAMS: [(&str, u64); 4] = [("agents-team", 1_805), ("hongming", 144), ("chloe-dong", 1), ("reno-stars", 102)];

const DAY: i64 = 86_400;

const TABLES: &str = "create table workspaces (id uuid primary key, name text not null, parent_id uuid);
    insert into workspaces values ('00000000-0000-4000-8000-{team}', 'root', null);
    create table agent_memories (
        id uuid primary key default gen_random_uuid(), workspace_id uuid references workspaces, content text not null,
        scope varchar(10) not null check (scope in ('LOCAL', 'TEAM', 'GLOBAL')),
        created_at timestamptz default now(), updated_at timestamptz default now(),
        namespace varchar(50) not null default 'general'
    );
    insert into agent_memories (workspace_id, content, scope)
    select w.id, 'a thing worth knowing, number ' || g, (array['LOCAL', 'TEAM', 'GLOBAL'])[1 + g % 3]
    from generate_series(1, {rows}) g, workspaces w";

#[test]
fn every_command_of_the_guide_is_one() {
    assert!(shown(PAGE) >= 12);
}

/// A name of a database, or of a role, that PostgreSQL takes without quotes.
fn variable(team: &str) -> String {
    format!("{}_URL", team.replace('-', "_").to_uppercase())
}

/// Statements of the page for a tenant's role and database.
fn of_tenant(block: &str, role: &str, database: &str) -> String {
    block.replace("{tenant}_reader", role).replace("{tenant}", database).replace('…', role)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_holds_from_its_first_command_to_its_last() {
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        return;
    }
    let home = Home::new();
    let mark = uuid::Uuid::new_v4().simple().to_string();
    let (mut sources, mut variables): (Vec<TestDatabase>, HashMap<String, String>) = Default::default();
    let name = |database: &TestDatabase| database.url().unwrap().rsplit('/').next().unwrap().to_owned();
    let url = |database: &TestDatabase, user: &str| {
        format!("postgres://{user}:{user}@{}", database.url().unwrap().rsplit('@').next().unwrap())
    };
    let sql: Vec<&str> =
        blocks(PAGE).into_iter().filter(|(fence, _)| *fence == "sql").map(|(_, block)| block).collect();
    assert_eq!(sql.len(), 2, "the role of a tenant, and its right to the marker");
    let mut now = (jiff::Timestamp::now().as_second() / DAY + 1) * DAY + DAY / 2;
    for (at, (team, rows)) in TEAMS.into_iter().enumerate() {
        let database = TestDatabase::fresh().await;
        let client = database.database().client().await.unwrap();
        let tables = TABLES.replace("{team}", &format!("{at:012}")).replace("{rows}", &rows.to_string());
        client.batch_execute(&tables).await.unwrap();
        let role = format!("t{at}_{mark}");
        for block in &sql {
            client.batch_execute(&of_tenant(block, &role, &name(&database))).await.unwrap();
        }
        drop(client);
        variables.insert(variable(team), url(&database, &role));
        sources.push(database);
    }
    let target = TestDatabase::fresh().await;
    let client = target.database().client().await.unwrap();
    let owner = format!("o_{mark}");
    client
        .batch_execute(&format!(
            "create role {owner} login password '{owner}' createrole; create extension vector;
             alter database {} owner to {owner};
             do $$ begin
                 if exists (select from pg_roles where rolname = 'heirloom_serve') then
                     grant heirloom_serve, heirloom_audit, heirloom_service to {owner} with admin option;
                 end if;
             end $$",
            name(&target)
        ))
        .await
        .unwrap();
    drop(client);
    variables.insert("DATABASE_URL".into(), url(&target, &owner));

    let run = |words: &str, now: i64| {
        let clock = now.to_string();
        let mut given: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        given.push(("HEIRLOOM_TEST_CLOCK", &clock));
        let ran = home.run_with(words, &given);
        assert_eq!(ran.code, 0, "{words}: {ran}");
        assert!(!ran.to_string().contains(&format!(":{owner}@")), "a password is shown: {ran}");
        ran.stdout
    };
    let mut last = String::new();
    for (fence, block) in blocks(PAGE) {
        match fence {
            "sh" => {
                for words in commands(block, |name| variables.get(name).map(String::as_str)) {
                    last = run(&words, now);
                }
            }
            "text status" => assert_eq!(last, block, "what the guide shows is not what is said"),
            "sql check" => {
                for source in &sources {
                    let client = source.database().client().await.unwrap();
                    assert!(client.query_one(block, &[]).await.unwrap().get::<_, bool>(0), "a row is not marked");
                }
            }
            "sql retire" => {
                for (at, source) in sources.iter().enumerate() {
                    let client = source.database().client().await.unwrap();
                    client.batch_execute(&of_tenant(block, &format!("t{at}_{mark}"), &name(source))).await.unwrap();
                }
            }
            "passes" => match block {
                "a day later" => now += DAY,
                "the grace is over" => now += 7 * DAY,
                "the soak is over" => {
                    for _ in 0..6 {
                        now += DAY;
                        run("fleet soak tenants.toml", now);
                    }
                }
                other => panic!("`{other}` passes"),
            },
            "sql" => {}
            other => {
                let file = other.strip_prefix("toml ").unwrap_or_else(|| panic!("a block of `{other}`"));
                std::fs::write(home.path().join(file), block).unwrap();
            }
        }
    }

    for database in sources {
        let role =
            "do $$ begin execute 'drop owned by t0_m, t1_m, t2_m, t3_m'; end $$".replace("_m", &format!("_{mark}"));
        database.database().client().await.unwrap().batch_execute(&role).await.unwrap();
        database.close().await;
    }
    target.close().await;
    let server = heirloom_engine::Location::Server(std::env::var("HEIRLOOM_TEST_URL").unwrap());
    let admin = heirloom_engine::Database::open(&server, &heirloom_engine::Options::default()).await.unwrap();
    let roles: Vec<String> = (0..TEAMS.len()).map(|at| format!("t{at}_{mark}")).chain([owner]).collect();
    let drop = format!("drop role if exists {}", roles.join(", "));
    admin.client().await.unwrap().batch_execute(&drop).await.unwrap();
    admin.close().await.unwrap();
}

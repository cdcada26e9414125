//! What the guides promise: pgmnemo's own, run as it stands, and ours.

use crate::door::Door;

/// Three states that recall leaves out by default, and six it shows.
const SOURCE: &str = "
    create schema mem;
    create table mem.mem_item as
    select g as id, 'lesson ' || g || ' about pooling' as content, 'layer' || g % 4 as layer, 'developer' as agent_role,
        42 as project, 3 as priority, jsonb_build_object('tag', g) as tags,
        case when g % 5 > 0 then 'sha' || g % 3 end as git_sha, g % 2 = 0 as verified,
        case when g % 2 = 1 then 'verified' end as verification_status, null::timestamptz as verified_at,
        (array['draft', 'candidate', 'validated', 'canonical', 'conflicted', 'deprecated', 'superseded', 'archived', 'rejected'])[1 + g % 9] as state,
        now() - '2 days'::interval as created_at, g as run_id, g as task_id, 1 + g % 3 as ttl_form,
        case when g % 7 = 0 then '1 day' when g % 7 = 1 then '30 days' end as retention,
        case when g % 7 = 0 then now() - '1 hour'::interval when g % 7 = 1 then now() + '1 hour'::interval end as retain_until,
        case when g % 7 = 0 then 3600 when g % 7 = 1 then 2592000 end as ttl_seconds
    from generate_series(1, 500) g;
    grant usage on schema mem to heirloom_service; grant select on mem.mem_item to heirloom_service";

async fn run_the_guide(door: &Door) {
    let guide = include_str!("pgmnemo_guide.sql");
    let vector = format!("[1{}]", ",0".repeat(1023));
    door.run(&guide.replace("<your_1024_dim_vector>", &vector)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_of_pgmnemo_runs_as_it_stands_and_leaves_recallable_what_it_says() {
    for role in ["postgres", "heirloom_service"] {
        let door = Door::open().await;
        door.run(SOURCE).await;
        door.run(&format!("set role {role}")).await;
        run_the_guide(&door).await;
        door.run("set pgmnemo.tenant_id = '42'").await;
        // What is neither expired nor without provenance, by the source alone.
        let expected = door
            .row("select count(*) filter (where g % 7 > 0), count(*) filter (where g % 7 > 0 and g % 5 > 0 and g % 9 < 5) from generate_series(1, 500) g")
            .await;
        let (kept, recallable) = expected.split_once('|').unwrap();
        assert_eq!(door.row("select count(*), count(*) filter (where t_valid_to = 'infinity') from pgmnemo.agent_lesson where lesson_text like '%pooling'").await, format!("{kept}|{kept}"), "nothing was closed");
        assert_eq!(
            door.row("select count(*) from pgmnemo.recall_lessons(null, null, null, 42, 'pooling')").await,
            recallable
        );
        assert_eq!(
            door.row("select recallable_count - 1 from pgmnemo.stats()").await,
            recallable,
            "and the one that was ingested"
        );
        assert_eq!(
            door.row(
                "select topic, lesson_text from pgmnemo.recall_lessons(NULL::vector(1024), 5, NULL, 42, 'JWT rotation')"
            )
            .await,
            "security|Rotate JWT secrets within 24 h of any key-compromise indicator."
        );
        let ghosts = "select count(*) from pgmnemo.recall_lessons(null, null, null, 42, 'pooling')";
        door.run("set pgmnemo.include_unverified = 'on'").await;
        let with_ghosts = door.row(ghosts).await.parse::<u32>().unwrap();
        assert!(with_ghosts > recallable.parse().unwrap(), "the others are ghosts, kept and found on request");
        door.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_rows_of_one_statement_and_one_commit_are_all_open_and_recallable() {
    let door = Door::open().await;
    door.run(
        "set pgmnemo.gate_strict = 'warn';
         insert into pgmnemo.agent_lesson (role, project_id, topic, lesson_text, commit_sha, verified_at, created_at)
         select 'dev', 42, 'layer' || g % 4, 'lesson ' || g || case when g % 5 = 0 then ' about pooling' else '' end, 'sha', now(), now() - '1 day'::interval
         from generate_series(1, 500) g",
    )
    .await;
    assert_eq!(door.row("select count(*) from pgmnemo.mem_item").await, "500");
    assert_eq!(door.row("select count(*) from pgmnemo.recall_hybrid(null, 'pooling', null, null, 42)").await, "100");
    assert_eq!(door.row("select count(*) from pgmnemo.as_of(now() - '1 hour'::interval)").await, "500");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_guides_migration_runs_start_to_end_and_its_counts_hold() {
    let guide = include_str!("../../../../docs/guides/from-pgmnemo.md");
    let (_, chapter) = guide.split_once("## A migration, start to end").unwrap();
    let blocks: Vec<_> = chapter.split("```sql").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 3);
    let door = Door::open().await;
    for block in &blocks {
        door.run(block).await;
    }
    assert_eq!(
        door.row("select source_rows, inserted, ghosts, closed, expired, recallable from reconciled").await,
        "5|5|1|0|1|3",
        "five rows: one ghost, one expired, three that recall finds"
    );
    assert_eq!(door.row("select count(*) from pgmnemo.agent_lesson").await, "4", "one was evicted");
    assert_eq!(
        door.row("select lesson_text from pgmnemo.recall_lessons(null, 1, null, 42, 'JWT expiry validation')").await,
        "Always validate JWT expiry server-side; client clock skew can be ±5 min."
    );
    assert_eq!(
        door.row("select source_run_id, source_task_id from pgmnemo.agent_lesson where role = 'analyst'").await,
        "run-7|502"
    );
    door.run("set pgmnemo.gate_strict = 'warn'").await;
    door.run(blocks[1]).await;
    assert_eq!(
        door.row("select count(*) from pgmnemo.agent_lesson").await,
        "5",
        "run again it brings only what was evicted"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_names_every_function_and_relation_of_the_door() {
    let guide = include_str!("../../../../docs/guides/from-pgmnemo.md");
    let door = Door::open().await;
    let names = door
        .rows(
            "select proname from pg_proc where pronamespace = 'pgmnemo'::regnamespace
                 and proname not in ('recalled', 'ingested', 'entity_key', 'remembered_state', 'get_temporal_boost')
             union select relname from pg_class where relnamespace = 'pgmnemo'::regnamespace and relkind = 'v' and relname <> 'agent_lesson_state_transition'",
        )
        .await;
    for name in names {
        assert!(guide.contains(&format!("`{name}")), "{name}");
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dump_and_restore_bring_everything_back() {
    let door = Door::open().await;
    let Some(url) = door.test().url() else { return door.close().await };
    let server = door
        .row("select current_setting('server_version_num')::integer / 10000, (select setting from pg_config where name = 'BINDIR')")
        .await;
    let (major, folder) = server.split_once('|').unwrap();
    let Some(dump) = pg_dump(major, folder) else { return door.close().await };
    door.run(SOURCE).await;
    run_the_guide(&door).await;
    let digest = "select count(*), md5(string_agg(l::text, '' order by l.id)) from pgmnemo.agent_lesson l";
    let before = door.row(digest).await;
    let text = std::process::Command::new(dump).args(["--no-owner", "--dbname", url]).output().unwrap();
    assert!(text.status.success(), "{}", String::from_utf8_lossy(&text.stderr));

    let test = heirloom_engine::testkit::TestDatabase::fresh().await;
    let (client, connection) = tokio_postgres::connect(test.url().unwrap(), tokio_postgres::NoTls).await.unwrap();
    let driven = tokio::spawn(connection);
    restore(&client, &String::from_utf8(text.stdout).unwrap()).await;
    client.batch_execute("set search_path = public; set timezone = 'UTC'").await.unwrap();
    let after = client.query_one(digest, &[]).await.unwrap();
    assert_eq!(format!("{}|{}", after.get::<_, i64>(0), after.get::<_, String>(1)), before);
    let more = "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha) values ('r', 't', 'x', 'c') returning id";
    assert!(client.query_one(more, &[]).await.unwrap().get::<_, i64>(0) > 1, "and the ids go on");
    drop(client);
    driven.await.unwrap().unwrap();
    test.close().await;
    door.close().await;
}

/// A pg_dump of this major version or a newer one, where the machine has one: beside the server, or in the path.
fn pg_dump(major: &str, folder: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::iter::once(folder.into()).chain(std::env::split_paths(&path));
    folders.map(|dir: std::path::PathBuf| dir.join("pg_dump")).find(|program| {
        let Ok(found) = std::process::Command::new(program).arg("--version").output() else { return false };
        let version = String::from_utf8_lossy(&found.stdout).into_owned();
        let number: Option<u32> = version.split_whitespace().nth(2).and_then(|v| v.split('.').next()?.parse().ok());
        number.zip(major.parse().ok()).is_some_and(|(program, server)| program >= server)
    })
}

/// A plain dump, statement by statement, with its COPY blocks.
async fn restore(client: &tokio_postgres::Client, text: &str) {
    let mut statements = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with('\\') {
            continue;
        }
        if line.starts_with("COPY ") && line.ends_with("FROM stdin;") {
            client.batch_execute(&std::mem::take(&mut statements)).await.unwrap();
            let mut rows = String::new();
            for row in lines.by_ref().take_while(|row| *row != "\\.") {
                rows.push_str(row);
                rows.push('\n');
            }
            let mut sink = Box::pin(client.copy_in::<_, bytes::Bytes>(line).await.unwrap());
            futures_util::SinkExt::send(&mut sink, rows.into()).await.unwrap();
            sink.as_mut().finish().await.unwrap();
            continue;
        }
        statements.push_str(line);
        statements.push('\n');
    }
    client.batch_execute(&statements).await.unwrap();
}

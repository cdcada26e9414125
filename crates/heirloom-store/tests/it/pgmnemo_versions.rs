//! When a new lesson closes an old one, and when nothing must be lost.

use crate::door::Door;

/// One lesson: topic, text, and what else to set.
fn insert(topic: &str, text: &str, more: &str) -> String {
    let (columns, values) = more.split_once('=').map_or(("", ""), |(c, v)| (c.trim(), v.trim()));
    let comma = if columns.is_empty() { "" } else { ", " };
    format!(
        "insert into pgmnemo.agent_lesson (role, topic, lesson_text, project_id, verified_at{comma}{columns})
         values ('r', '{topic}', '{text}', 1, now(){comma}{values})"
    )
}

async fn open(door: &Door) -> String {
    door.rows("select lesson_text from pgmnemo.mem_item order by lesson_text").await.join(",")
}

#[tokio::test(flavor = "multi_thread")]
async fn siblings_of_one_statement_all_live() {
    let door = Door::open().await;
    door.run(
        "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, project_id, verified_at)
         select 'r', 't', 'lesson ' || g, 'c', 1, now() from generate_series(1, 500) g",
    )
    .await;
    assert_eq!(door.row("select count(*) from pgmnemo.mem_item").await, "500");
    assert_eq!(door.row("select count(*) from pgmnemo.recall_lessons(null, null, null, 1, 'lesson')").await, "500");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_lesson_leaves_a_line_of_activity_and_a_load_one_a_namespace() {
    let door = Door::open().await;
    let lines = "select a.action || ' ' || a.namespace || ' ' || coalesce(a.details ->> 'written', 'one')
        from heirloom.activity a
        where a.action = 'load' or exists (
            select from heirloom.memory m
            where m.id = a.memory_id and m.namespace = a.namespace and m.lesson_id = (a.details ->> 'lesson_id')::bigint
                and a.content_sha256 = sha256(convert_to(m.content, 'UTF8')))
        order by a.id";
    door.run(&insert("t", "by the view", "commit_sha = 'c'")).await;
    door.run("select pgmnemo.ingest('r', 1, 't', 'told by the function itself', 3, null, 'd')").await;
    door.refused(&insert("t", "not kept", "commit_sha = 'e'").replace("'r', 't'", "null, 't'")).await;
    assert_eq!(door.rows(lines).await, ["remember project:1 one", "remember project:1 one"]);
    door.run(
        "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, project_id, verified_at)
         select 'r', 't', 'lesson ' || g, 'c' || g, 1 + g % 2, now() from generate_series(1, 1001) g",
    )
    .await;
    assert_eq!(door.rows(lines).await[2..], ["load project:1 500", "load project:2 501"]);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_statement_with_the_same_key_closes_the_open_one_even_in_one_transaction() {
    let door = Door::open().await;
    door.run("begin").await;
    door.run(&insert("t", "old", "commit_sha = 'c'")).await;
    door.run(&insert("t", "new", "commit_sha = 'c'")).await;
    assert_eq!(door.row("select lesson_text from pgmnemo.as_of(now())").await, "new");
    door.run("commit").await;
    assert_eq!(open(&door).await, "new");
    assert_eq!(door.row("select count(*) from pgmnemo.agent_lesson").await, "2", "closed is not gone");
    assert_eq!(door.row("select count(*) from pgmnemo.as_of(now() - '1 day'::interval)").await, "0");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_in_project_role_topic_commit_or_artifact_lives_on() {
    let door = Door::open().await;
    door.run(&insert("t", "a", "commit_sha, artifact_hash = 'c', 'one'")).await;
    for (topic, text, more) in [
        ("u", "b", "commit_sha = 'c'"),
        ("t", "c", "commit_sha = 'd'"),
        ("t", "d", "commit_sha, artifact_hash = 'c', 'two'"),
        ("t", "e", "artifact_hash = 'one'"),
        ("t", "f", "artifact_hash = 'one'"),
    ] {
        door.run(&insert(topic, text, more)).await;
    }
    door.run(&insert("t", "g", "commit_sha = 'c'").replace("'r', 't', 'g', 1", "'s', 't', 'g', 1")).await;
    door.run(&insert("t", "h", "commit_sha = 'c'").replace("'r', 't', 'h', 1", "'r', 't', 'h', 2")).await;
    // Joined with a bar, this key looks like another.
    door.run(&insert("x", "i", "commit_sha = 'c'").replace("'r', 'x'", "'r|t', 'x'")).await;
    door.run(&insert("t|x", "j", "commit_sha = 'c'")).await;
    assert_eq!(open(&door).await, "a,b,c,d,e,f,g,h,i,j");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lessons_without_a_commit_never_supersede_each_other() {
    let door = Door::open().await;
    door.run("set pgmnemo.gate_strict = 'off'").await;
    for text in ["a", "b"] {
        door.run(&insert("t", text, "")).await;
        door.run(&insert("t", &format!("{text}2"), "commit_sha = ''")).await;
    }
    assert_eq!(open(&door).await, "a,a2,b,b2");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_recall_would_not_show_closes_nothing() {
    let door = Door::open().await;
    door.run(&insert("t", "living", "commit_sha = 'c'")).await;
    for (text, more) in [
        ("historical", "commit_sha, t_valid_to = 'c', '2021-01-01Z'"),
        ("inactive", "commit_sha, is_active = 'c', false"),
        ("expired", "commit_sha, expires_at = 'c', '2021-01-01Z'"),
        ("rejected", "commit_sha, state = 'c', 'rejected'"),
        ("archived", "commit_sha, state = 'c', 'archived'"),
        ("made earlier", "commit_sha, created_at = 'c', '2020-01-01Z'"),
    ] {
        door.run(&insert("t", text, more)).await;
        assert!(open(&door).await.contains("living"), "{text}");
    }
    door.run(&insert("t", "ghost", "commit_sha = 'c'").replace("now()", "null")).await;
    assert!(open(&door).await.contains("living"), "a ghost");
    door.run(&insert("t", "next", "commit_sha = 'c'")).await;
    assert!(!open(&door).await.contains("living"), "its true successor");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_ghost_closes_an_earlier_ghost() {
    let door = Door::open().await;
    for text in ["v1 lesson text", "v2 lesson text"] {
        door.run(&format!(
            "insert into pgmnemo.agent_lesson (role, topic, lesson_text, importance, commit_sha) values ('test', 'H07', '{text}', 3, 'abc123')"
        ))
        .await;
    }
    assert_eq!(
        door.rows("select lesson_text, t_valid_to = 'infinity' from pgmnemo.agent_lesson order by t_valid_from").await,
        ["v1 lesson text|f", "v2 lesson text|t"]
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_with_one_key_leave_one_version_open() {
    let door = Door::open().await;
    let Some(url) = door.test().url() else { return door.close().await };
    let (other, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let driven = tokio::spawn(connection);
    door.run("begin").await;
    door.run(&insert("t", "first", "commit_sha = 'c'")).await;
    let second = insert("t", "second", "commit_sha = 'c'");
    let waiting = tokio::spawn(async move { other.batch_execute(&second).await });
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while door
        .row("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
        .await
        == "0"
    {
        assert!(std::time::Instant::now() < deadline, "the second session never waited");
        tokio::task::yield_now().await;
    }
    door.run("commit").await;
    waiting.await.unwrap().unwrap();
    assert_eq!(open(&door).await, "second");
    driven.await.unwrap().unwrap();
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_without_a_source_type_is_a_version_like_any_other() {
    let door = Door::open().await;
    door.run(&insert("t", "old", "commit_sha, source_type = 'c', null")).await;
    door.run(&insert("t", "new", "commit_sha, source_type = 'c', null")).await;
    assert_eq!(open(&door).await, "new");
    door.close().await;
}

/// Lessons ingested by one statement, a row each, all of one key.
fn ingest(from: u32, to: u32) -> String {
    format!(
        "select pgmnemo.ingest(p_role => 'r', p_project_id => 1, p_topic => 't', p_commit_sha => 'c',
             p_lesson_text => 'a lesson of some length, number ' || g) from generate_series({from}, {to}) g"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn lessons_ingested_in_one_statement_are_siblings_and_close_what_stood_before_it() {
    let door = Door::open().await;
    let living =
        "select count(*), coalesce(min(substring(lesson_text from '[0-9]+$')::integer), 0) from pgmnemo.mem_item";
    door.run(&ingest(1, 5)).await;
    assert_eq!(door.row(living).await, "5|1");
    door.said();
    door.run(&ingest(6, 25)).await;
    assert_eq!(door.row(living).await, "20|6", "the five before are closed, and no sibling");
    if let Some(said) = door.said() {
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("NOTICE: pgmnemo: bitemporal close+create fired -- closed 5 prior"), "{said:?}");
    }
    door.run("begin").await;
    door.run(&ingest(26, 27)).await;
    door.run("savepoint s").await;
    door.run(&ingest(28, 30)).await;
    assert_eq!(door.row(living).await, "3|28", "an earlier statement of the same transaction");
    door.run("rollback to s").await;
    door.run(&ingest(31, 33)).await;
    door.run("commit").await;
    assert_eq!(door.row(living).await, "3|31");
    door.run(&format!("{}; {}", ingest(34, 35), ingest(36, 37))).await;
    assert_eq!(door.row(living).await, "2|36", "two statements of one message");
    door.run(&format!("create temp table kept as {}", ingest(38, 40))).await;
    assert_eq!(door.row(living).await, "3|38");
    door.run(&insert("t", "raw 41", "commit_sha = 'c'")).await;
    assert_eq!(door.row(living).await, "1|41");
    door.run("do $$ begin for g in 42..44 loop perform pgmnemo.ingest('r', 1, 't', 'a lesson of some length, number ' || g, p_commit_sha => 'c'); end loop; end $$").await;
    assert_eq!(door.row(living).await, "1|44", "each turn of a loop is a statement");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_ahead_of_its_sequence_is_no_sibling() {
    let door = Door::open().await;
    door.run(&insert("t", "ahead", "commit_sha, id = 'c', 100000")).await;
    door.run(&ingest(1, 3)).await;
    assert_eq!(door.row("select count(*), max(id) < 100000 from pgmnemo.mem_item").await, "3|t");
    door.close().await;
}

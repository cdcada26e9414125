//! `pgmnemo.ingest`: what it checks, what it stamps, what it never drops.

use crate::door::{Door, axis};

#[tokio::test(flavor = "multi_thread")]
async fn takes_ten_parameters_by_name_and_by_place_and_importance_as_an_integer() {
    let door = Door::open().await;
    let arguments = door
        .row("select pg_get_function_identity_arguments(oid) from pg_proc where proname = 'ingest' and pronamespace = 'pgmnemo'::regnamespace")
        .await;
    assert_eq!(
        arguments.replace("public.", ""),
        "p_role text, p_project_id integer, p_topic text, p_lesson_text text, p_importance integer, p_embedding vector, \
         p_commit_sha text, p_artifact_hash text, p_metadata jsonb, p_content_type text"
    );
    door.run(
        "select pgmnemo.ingest('developer', 42, 'security', 'Rotate JWT secrets within 24 h.', 4, null, 'a3f9b12')",
    )
    .await;
    door.run("select pgmnemo.ingest('developer', 42, 'other', 'Rotate JWT secrets within 24 h.', 4::smallint, p_artifact_hash => 'sha256:1')").await;
    assert_eq!(
        door.rows("select importance, metadata, state, source_type, verified_at = created_at from pgmnemo.agent_lesson order by id").await,
        ["4|{}|draft|auto_captured|t", "4|{}|draft|auto_captured|t"]
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_bad_input_with_a_sqlstate_and_a_sentence() {
    let door = Door::open().await;
    let good = "'a lesson of more than twenty characters'";
    for (call, code, starts) in [
        ("'r', 1, 't', 'too short', p_commit_sha => 'c'", "P0001", "lesson_text too short (min 20 chars)"),
        ("'r', 1, 't', '                         ', p_commit_sha => 'c'", "P0001", "lesson_text too short"),
        ("'r', 1, 't', null, p_commit_sha => 'c'", "P0001", "lesson_text too short"),
        ("'r', 1, 't', 'spam spam spam spam spam spam', p_commit_sha => 'c'", "P0001", "repetitive content"),
        ("'r', 1, 't', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaa', p_commit_sha => 'c'", "P0001", "repetitive content"),
        (
            &format!("'r', 1, 't', {good}, 3, '[1,2,3]', 'c'"),
            "P0001",
            "embedding dimension mismatch -- expected 1024, got 3",
        ),
        (
            &format!("'r', 1, 't', {good}, 3, array_fill(0::real, array[1024])::vector, 'c'"),
            "P0001",
            "embedding is a zero vector",
        ),
        (&format!("'r', 1, 't', {good}, 3, '[NaN]', 'c'"), "22000", "NaN not allowed in vector"),
        (&format!("null, 1, 't', {good}, p_commit_sha => 'c'"), "23502", "null value in column \"role\""),
        (&format!("'r', 1, null, {good}, p_commit_sha => 'c'"), "23502", "null value in column \"topic\""),
        (&format!("'r', 1, 't', {good}, null, p_commit_sha => 'c'"), "23502", "null value in column \"importance\""),
        (&format!("'r', 1, 't', {good}, 0, p_commit_sha => 'c'"), "23514", "importance is 0: it takes 1 to 5"),
        (&format!("'r', 1, 't', {good}, 6, p_commit_sha => 'c'"), "23514", "importance is 6"),
        (&format!("'r', 1, 't', {good}, 70000, p_commit_sha => 'c'"), "23514", "importance is 70000"),
        (&format!("'r', 1, 't', {good}"), "P0001", "pgmnemo provenance gate [enforce]"),
    ] {
        let refused = door.refused(&format!("select pgmnemo.ingest({call})")).await;
        assert_eq!(refused.code, code, "{call}: {}", refused.message);
        assert!(refused.message.starts_with(starts), "{call}: {}", refused.message);
    }
    assert_eq!(door.row("select count(*) from pgmnemo.agent_lesson").await, "0");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_chinese_japanese_and_a_url() {
    let door = Door::open().await;
    for text in [
        "数据库连接池在高负载下会耗尽",
        "本番環境では接続プールの上限を監視する",
        "https://example.org/runbooks/rotate-the-signing-keys",
    ] {
        door.run(&format!("select pgmnemo.ingest('r', 1, '{text}', '{text}', p_commit_sha => 'c')")).await;
    }
    assert_eq!(door.rows("select lesson_id from pgmnemo.recall_lessons(null, 5, null, 1, '连接池')").await.len(), 1);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_costs_in_proportion_to_its_length() {
    let door = Door::open().await;
    let time = async |words: usize| {
        let mut best = f64::MAX;
        for attempt in 0..5 {
            let sql = format!(
                "select pgmnemo.ingest('r', 1, 't', (select string_agg('word' || g % 997, ' ') from generate_series(1, {words}) g), \
                 p_commit_sha => 'c{words}-{attempt}')"
            );
            let start = std::time::Instant::now();
            door.run(&sql).await;
            best = best.min(start.elapsed().as_secs_f64());
        }
        best
    };
    let (short, long) = (time(2_000).await, time(16_000).await);
    // Eight times the words; a counter that grows with every token took thirty times as long and more.
    assert!(long < 24.0 * short.max(0.002), "2,000 words: {short:.4} s, 16,000 words: {long:.4} s");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_lesson_again_is_reported_and_kept_once() {
    let door = Door::open().await;
    let call = "select pgmnemo.ingest('r', 1, 't', 'one lesson, told exactly twice', p_artifact_hash => 'a')";
    let first = door.row(call).await;
    door.said();
    assert_eq!(door.row(call).await, first);
    if let Some(said) = door.said() {
        assert_eq!(
            said,
            [format!("NOTICE: pgmnemo.ingest: lesson {first} says exactly this already; nothing was added")]
        );
    }
    let elsewhere =
        door.row("select pgmnemo.ingest('r', 2, 't', 'one lesson, told exactly twice', p_artifact_hash => 'a')").await;
    assert_ne!(elsewhere, first, "another project has its own");
    assert_eq!(door.row("select count(*) from pgmnemo.mem_item").await, "2");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_near_duplicate_with_another_text_is_reported_and_both_live() {
    let door = Door::open().await;
    let call = |text: &str, topic: &str, lean: f32| {
        format!("select pgmnemo.ingest('r', 1, '{topic}', '{text}', 3, {}, 'c')", axis(1, lean))
    };
    door.run(&call("the cache is warmed after a deploy", "a", 0.0)).await;
    door.said();
    door.run(&call("after a deploy somebody warms the cache", "b", 0.01)).await;
    if let Some(said) = door.said() {
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with("WARNING: pgmnemo.ingest: near duplicate of lesson 1 (cosine 0.9"), "{said:?}");
    }
    assert_eq!(door.row("select count(*) from pgmnemo.mem_item").await, "2");
    door.run("set pgmnemo.dedup_threshold = '1'").await;
    door.run(&call("a third way to say what the cache wants", "c", 0.01)).await;
    assert_eq!(door.said().unwrap_or_default(), Vec::<String>::new());
    door.run("set pgmnemo.dedup_threshold = 'high'").await;
    assert_eq!(door.refused(&call("a fourth way to say what the cache wants", "d", 0.01)).await.code, "22023");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_role_topic_and_commit_is_a_new_version_and_the_previous_is_closed() {
    let door = Door::open().await;
    let call = |text: &str| format!("select pgmnemo.ingest('r', 1, 't', '{text}', p_commit_sha => 'c')");
    let first = door.row(&call("retry three times before giving up")).await;
    door.said();
    let second = door.row(&call("retry five times before giving up")).await;
    if let Some(said) = door.said() {
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("NOTICE: pgmnemo: bitemporal close+create fired -- closed 1 prior version(s)"),
            "{said:?}"
        );
    }
    assert_eq!(door.row("select id from pgmnemo.mem_item").await, second);
    assert_eq!(
        door.row(&format!("select t_valid_to < 'infinity', is_active from pgmnemo.agent_lesson where id = {first}"))
            .await,
        "t|t"
    );
    assert_eq!(door.row("select lesson_id from pgmnemo.recall_lessons(null, 5, null, 1, 'retry')").await, second);
    assert_eq!(door.row("select lesson_count, closed_count, recallable_count from pgmnemo.stats()").await, "2|1|1");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zero_vector_is_refused_by_the_view_as_by_ingest() {
    let door = Door::open().await;
    let zero = "array_fill(0::real, array[1024])::vector(1024)";
    door.run(
        "insert into pgmnemo.agent_lesson (id, role, topic, lesson_text, commit_sha) values (1, 'r', 't', 'x', 'c');
         insert into heirloom.memory (lesson_id, namespace, role, topic, content) values (2, 'project:1', 'r', 't', 'x')",
    )
    .await;
    for sql in [
        format!("update pgmnemo.agent_lesson set embedding = {zero} where id = 2"),
        format!(
            "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, embedding) values ('r', 't', 'x', 'c', {zero})"
        ),
        format!("update pgmnemo.agent_lesson set embedding = {zero} where id = 1"),
    ] {
        let refused = door.refused(&sql).await;
        assert_eq!(refused.code, "22000", "{sql}");
        assert!(refused.message.starts_with("embedding is a zero vector"), "{}", refused.message);
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_counted_as_lessons_come_in_one_by_one_and_by_the_hundred() {
    let door = Door::open().await;
    let documents = "select documents from heirloom.frequency where namespace = 'project:1'";
    for n in 0..12 {
        door.run(&format!(
            "select pgmnemo.ingest('r', 1, 't{n}', 'lesson {n} about pooling and connections', p_commit_sha => 'c')"
        ))
        .await;
    }
    assert_eq!(door.row(documents).await, "10", "the first time at ten");
    // Made long ago: it is how many came that counts, not when they say they were made.
    door.run(
        "insert into pgmnemo.agent_lesson (role, project_id, topic, lesson_text, commit_sha, created_at)
         select 'r', 1, 'u' || g, 'zebra ' || g, 'c', '2020-01-01Z' from generate_series(1, 500) g",
    )
    .await;
    assert_eq!(door.row(documents).await, "512");
    assert_eq!(
        door.row("select df from heirloom.lexeme where namespace = 'project:1' and lexeme = 'zebra'").await,
        "500"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_lesson_with_another_vector_takes_that_and_stays_one() {
    let door = Door::open().await;
    let call = |vector: &str| {
        format!("select pgmnemo.ingest('r', 1, 't', 'one lesson, told with and without a vector', 3, {vector}, 'c')")
    };
    let first = door.row(&call("null")).await;
    for at in [1, 5] {
        door.said();
        assert_eq!(door.row(&call(&axis(at, 0.0))).await, first);
        if let Some(said) = door.said() {
            assert_eq!(
                said,
                [format!(
                    "NOTICE: pgmnemo.ingest: lesson {first} says exactly this already; it has the new vector now"
                )]
            );
        }
        let same = format!("select count(*), bool_and(embedding = {}) from pgmnemo.agent_lesson", axis(at, 0.0));
        assert_eq!(door.row(&same).await, "1|t");
    }
    for vector in ["null".to_owned(), axis(5, 0.0)] {
        door.said();
        door.run(&call(&vector)).await;
        if let Some(said) = door.said() {
            assert!(said[0].ends_with("nothing was added"), "{said:?}");
        }
    }
    door.run("update heirloom.memory set embedding_model = 'm'").await;
    door.run(&call(&axis(7, 0.0))).await;
    assert_eq!(
        door.row(&format!("select embedding = {} from pgmnemo.agent_lesson", axis(5, 0.0))).await,
        "t",
        "the vector of a model that is known is not exchanged for one of a model that is not"
    );
    door.close().await;
}

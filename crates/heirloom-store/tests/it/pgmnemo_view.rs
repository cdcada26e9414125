//! `pgmnemo.agent_lesson`: the columns, types, defaults and constraints of pgmnemo's table.

use crate::door::Door;

const COLUMNS: &str = "id bigint, created_at timestamp with time zone, updated_at timestamp with time zone, role text, \
    project_id integer, topic text, lesson_text text, importance smallint, metadata jsonb, source_run_id text, \
    commit_sha text, artifact_hash text, verified_at timestamp with time zone, topic_tsv tsvector, lesson_tsv tsvector, \
    full_text tsvector, embedding vector(1024), is_active boolean, resolved_at timestamp with time zone, \
    verifier_role text, state text, state_changed_at timestamp with time zone, source_task_id bigint, \
    expires_at timestamp with time zone, content_type text, blob_ref text, doc_ref text, \
    last_recalled_at timestamp with time zone, recall_count bigint, item_kind text, version_n integer, \
    patch_count integer, source_dag_id text, t_valid_from timestamp with time zone, \
    t_valid_to timestamp with time zone, content_hash text, confidence real, success_count integer, \
    fail_count integer, last_outcome text, last_outcome_at timestamp with time zone, source_type text, \
    embedding_at timestamp with time zone, use_count integer, evidence_count integer";

const INSERT: &str = "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha";

#[tokio::test(flavor = "multi_thread")]
async fn has_all_columns_of_pgmnemo_in_order_with_their_types() {
    let door = Door::open().await;
    let found = door
        .row(
            "select string_agg(attname || ' ' || regexp_replace(format_type(atttypid, atttypmod), '^.*\\.', ''), ', '
                 order by attnum)
             from pg_attribute where attrelid = 'pgmnemo.agent_lesson'::regclass and attnum > 0",
        )
        .await;
    assert_eq!(found, COLUMNS);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_but_the_generated_can_be_inserted_and_updated() {
    let door = Door::open().await;
    let generated = ["topic_tsv", "lesson_tsv", "full_text", "content_hash"];
    let writable: Vec<_> =
        COLUMNS.split(", ").filter_map(|c| c.split_whitespace().next()).filter(|c| !generated.contains(c)).collect();
    door.run(
        "create temp table source as select 77::bigint id, '2020-01-01'::timestamptz created_at,
             '2020-01-02'::timestamptz updated_at, 'dev' as role, 42 project_id, 'auth' topic, 'rotate keys' lesson_text,
             4::smallint importance, '[1]'::jsonb metadata, 'run-a' source_run_id, 'c0ffee' commit_sha,
             'sha256:1' artifact_hash, '2020-01-03'::timestamptz verified_at,
             array_fill(1::real, array[1024])::vector(1024) embedding, true is_active,
             '2020-01-04'::timestamptz resolved_at, 'PI' verifier_role, 'canonical' state,
             '2020-01-05'::timestamptz state_changed_at, 9::bigint source_task_id, '2999-01-01'::timestamptz expires_at,
             'note' content_type, 'b' blob_ref, 'd' doc_ref, '2020-01-06'::timestamptz last_recalled_at,
             3::bigint recall_count, 'script' item_kind, 2 version_n, 1 patch_count, 'dag' source_dag_id,
             '2020-01-07'::timestamptz t_valid_from, '2998-01-01'::timestamptz t_valid_to, 0.75::real confidence,
             5 success_count, 1 fail_count, 'success' last_outcome, '2020-01-08'::timestamptz last_outcome_at,
             'imported' source_type, '2020-01-09'::timestamptz embedding_at, 7 use_count, 2 evidence_count",
    )
    .await;
    let columns = writable.join(", ");
    door.run(&format!("insert into pgmnemo.agent_lesson ({columns}) select {columns} from source")).await;
    let same = format!(
        "select count(*) from (select {columns} from pgmnemo.agent_lesson intersect select {columns} from source) x"
    );
    assert_eq!(door.row(&same).await, "1", "every value comes back as it was written");
    for column in &writable {
        let update = format!("update pgmnemo.agent_lesson set {column} = {column} returning {column}");
        assert_eq!(door.rows(&update).await.len(), 1, "{column}");
    }
    for column in generated {
        let refused = door.refused(&format!("update pgmnemo.agent_lesson set {column} = null")).await;
        assert!(["0A000", "428C9"].contains(&refused.code.as_str()), "{column}: {}", refused.message);
    }
    assert_eq!(
        door.row("select source, source_task_id, valid_from::date, valid_to::date, namespace from heirloom.memory")
            .await,
        "imported|9|2020-01-07|2998-01-01|project:42",
        "the memory's own form of the same"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_generated_and_returned_and_can_be_given() {
    let door = Door::open().await;
    let first = door.row(&format!("{INSERT}) values ('r', 't', 'one', 'c') returning id")).await;
    let second = door.row(&format!("{INSERT}) values ('r', 'u', 'two', 'c') returning id")).await;
    assert!(second.parse::<i64>().unwrap() > first.parse::<i64>().unwrap());
    door.run(&format!("{INSERT}, id) values ('r', 'v', 'three', 'c', 4000)")).await;
    let twice = door.refused(&format!("{INSERT}, id) values ('r', 'w', 'four', 'c', 4000)")).await;
    assert_eq!(twice.code, "23505");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn run_ids_are_taken_as_number_and_text_task_ids_as_number_and_project_may_be_null() {
    let door = Door::open().await;
    door.run(&format!(
        "{INSERT}, source_run_id, source_task_id, project_id) values ('r', 't', 'x', 'c', 1001::bigint, 501, null);
         {INSERT}, source_run_id, source_task_id, project_id) values ('r', 'u', 'x', 'c', 'run-a', '502', 42)"
    ))
    .await;
    assert_eq!(
        door.rows("select source_run_id, source_task_id, project_id from pgmnemo.agent_lesson where source_task_id > 0 order by id").await,
        ["1001|501|-", "run-a|502|42"]
    );
    assert_eq!(
        door.rows("select namespace, source_task_id from heirloom.memory order by lesson_id").await,
        ["custom:unassigned|501", "project:42|502"]
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_are_those_of_pgmnemo() {
    let door = Door::open().await;
    door.run(&format!("{INSERT}) values ('r', 't', 'x', 'c')")).await;
    assert_eq!(
        door.row(
            "select importance, state, metadata, is_active, item_kind, version_n, patch_count, recall_count, confidence,
                 source_type, t_valid_to, t_valid_from = created_at, verified_at, use_count, evidence_count,
                 content_hash = md5('r|t|c'), topic_tsv, updated_at = created_at
             from pgmnemo.agent_lesson"
        )
        .await,
        "3|draft|-|t|note|1|0|0|0.5|auto_captured|infinity|t|-|0|1|t|'t':1|t"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn importance_state_kind_and_width_are_held_by_their_sqlstates() {
    let door = Door::open().await;
    for (columns, values, code) in [
        ("importance", "0", "23514"),
        ("importance", "6", "23514"),
        ("importance", "null", "23502"),
        ("state", "'bananas'", "23514"),
        ("state", "null", "23502"),
        ("item_kind", "'poem'", "23514"),
        ("source_type", "'rumour'", "23514"),
        ("confidence", "1.5", "23514"),
        ("embedding", "'[1,2,3]'::vector", "22000"),
        ("source_task_id", "'T-17'", "22P02"),
        ("content_hash", "'x'", "0A000"),
    ] {
        let refused = door.refused(&format!("{INSERT}, {columns}) values ('r', 't', 'x', 'c', {values})")).await;
        assert_eq!(refused.code, code, "{columns} = {values}: {}", refused.message);
    }
    for (role, topic, text) in [("null", "'t'", "'x'"), ("'r'", "null", "'x'"), ("'r'", "'t'", "null")] {
        let refused = door.refused(&format!("{INSERT}) values ({role}, {topic}, {text}, 'c')")).await;
        assert_eq!(refused.code, "23502", "{role} {topic} {text}: {}", refused.message);
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_constraint_refuses_is_said_in_the_words_of_the_door_on_the_way_in_and_later() {
    let door = Door::open().await;
    door.run(&format!("{INSERT}, project_id) values ('r', 't', 'x', 'c', 1)")).await;
    door.run(
        "insert into heirloom.memory (id, namespace, role, topic, content, commit_sha)
             values (gen_random_uuid(), 'project:1', 'r', 'of another door', 'x', 'c');
         set role heirloom_serve; set pgmnemo.tenant_id = '1'",
    )
    .await;
    for (column, value, constraint, message) in [
        ("importance", "0", "importance", "importance is 0: it takes 1 to 5"),
        ("importance", "6", "importance", "importance is 6: it takes 1 to 5"),
        ("confidence", "-0.5", "confidence", "confidence is -0.5: it takes 0 to 1"),
        (
            "state",
            "'golden'",
            "state",
            "state is 'golden': it takes draft, candidate, validated, canonical, deprecated, superseded, archived, rejected or conflicted",
        ),
        (
            "item_kind",
            "'poem'",
            "item_kind",
            "item_kind is 'poem': it takes note, skill_md, template, script, reference, config or spec",
        ),
        (
            "source_type",
            "'rumour'",
            "source_type",
            "source_type is 'rumour': it takes agent_authored, auto_captured, imported or system",
        ),
        (
            "lesson_text",
            "E' \\t\\u3000'",
            "content",
            "lesson_text is blank: it takes a text with at least one character that is not white space",
        ),
    ] {
        let insert = if column == "lesson_text" {
            format!(
                "insert into pgmnemo.agent_lesson (project_id, role, topic, commit_sha, lesson_text) values (1, 'r', 't', 'c', {value})"
            )
        } else {
            format!("{INSERT}, project_id, {column}) values ('r', 't', 'x', 'c', 1, {value})")
        };
        let update =
            |topic: &str| format!("update pgmnemo.agent_lesson set {column} = {value} where topic = '{topic}'");
        for statement in [insert, update("t"), update("of another door")] {
            let error = door.pg().simple_query(&statement).await.unwrap_err();
            let refused = error.as_db_error().unwrap_or_else(|| panic!("{statement}: {error}"));
            assert_eq!((refused.code().code(), refused.message()), ("23514", message), "{statement}");
            assert_eq!(refused.constraint(), Some(&*format!("memory_{constraint}_check")), "{statement}");
        }
    }
    assert_eq!(
        door.rows("select distinct importance, state, lesson_text from pgmnemo.agent_lesson").await,
        ["3|draft|x"],
        "nothing was changed"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_nine_states_are_insertable() {
    let door = Door::open().await;
    for state in heirloom_store::STATES {
        door.run(&format!("{INSERT}, state) values ('r', '{state}', 'x', 'c', '{state}')")).await;
    }
    assert_eq!(door.row("select count(distinct state) from pgmnemo.agent_lesson").await, "9");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_kept_on_insert_and_updated_at_moves_on_update() {
    let door = Door::open().await;
    door.run(&format!(
        "{INSERT}, created_at, updated_at, verified_at, expires_at) values
         ('r', 't', 'x', 'c', '2020-01-01Z', '2020-01-02Z', '2020-01-03Z', '2999-01-01Z')"
    ))
    .await;
    let times = "select created_at, updated_at, verified_at, expires_at, t_valid_from from pgmnemo.agent_lesson";
    assert_eq!(
        door.row(times).await,
        "2020-01-01 00:00:00+00|2020-01-02 00:00:00+00|2020-01-03 00:00:00+00|2999-01-01 00:00:00+00|2020-01-01 00:00:00+00",
        "valid since it was made: looking back before the import finds it"
    );
    door.run("update pgmnemo.agent_lesson set importance = 5").await;
    assert_eq!(
        door.row("select updated_at > '2026-01-01', created_at::date from pgmnemo.agent_lesson").await,
        "t|2020-01-01"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_moves_with_its_project_and_takes_its_history_along() {
    let door = Door::open().await;
    let id = door.row(&format!("{INSERT}, project_id) values ('r', 't', 'x', 'c', 1) returning id")).await;
    door.run(&format!("select pgmnemo.transition_lesson({id}, 'candidate')")).await;
    door.run("update pgmnemo.agent_lesson set project_id = 2").await;
    assert_eq!(
        door.row("select m.namespace, s.namespace from heirloom.memory m join heirloom.state_transition s on s.memory_id = m.id").await,
        "project:2|project:2"
    );
    door.run("update pgmnemo.agent_lesson set project_id = null").await;
    assert_eq!(door.row("select namespace from heirloom.memory").await, "custom:unassigned");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lessons_of_other_doors_appear_with_infinity_for_still_valid() {
    let door = Door::open().await;
    door.run(
        "insert into heirloom.memory (namespace, role, topic, content, valid_from, valid_to, source_task_id) values
             ('team:a', 'r', 't', 'open', null, null, 'T-17'),
             ('team:a', 'r', 't', 'closed', '2020-01-01Z', '2021-01-01Z', '17');
         insert into heirloom.memory (namespace, kind, content) values ('team:a', 'fact', 'not a lesson');
         update heirloom.memory set valid_to = '2022-01-01Z' where content = 'closed'",
    )
    .await;
    assert_eq!(
        door.rows("select lesson_text, t_valid_from = created_at, t_valid_to, source_task_id from pgmnemo.agent_lesson order by id").await,
        ["open|t|infinity|-", "closed|f|2022-01-01 00:00:00+00|17"]
    );
    door.run("update pgmnemo.agent_lesson set t_valid_to = '2023-01-01Z' where lesson_text = 'open'").await;
    door.run("update pgmnemo.agent_lesson set t_valid_to = 'infinity' where lesson_text = 'closed'").await;
    assert_eq!(
        door.rows("select valid_to from heirloom.memory where kind = 'lesson' order by lesson_id").await,
        ["2023-01-01 00:00:00+00", "-"]
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_goes_by_a_temporary_table() {
    let door = Door::open().await;
    // The embedded engine has no such file to read from.
    if door.test().url().is_some() {
        assert_eq!(door.refused("copy pgmnemo.agent_lesson (role) from '/dev/null'").await.code, "42809");
    }
    door.run(
        "create temp table incoming (like pgmnemo.agent_lesson);
         insert into incoming (role, topic, lesson_text, commit_sha) select 'r', 't' || g, 'x', 'c' from generate_series(1, 3) g;
         insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha) select role, topic, lesson_text, commit_sha from incoming",
    )
    .await;
    assert_eq!(door.row("select count(*) from pgmnemo.agent_lesson").await, "3");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_schema_of_that_name_is_left_alone() {
    let test = heirloom_engine::testkit::TestDatabase::fresh().await;
    let client = test.database().client().await.unwrap();
    client.batch_execute("create schema pgmnemo; create table pgmnemo.agent_lesson (id bigint)").await.unwrap();
    drop(client);
    let up = async || heirloom_store::Store::up(test.database(), &heirloom_store::UpOptions::default()).await.unwrap();
    up().await;
    let client = test.database().client().await.unwrap();
    let functions =
        "select count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'pgmnemo'";
    assert_eq!(client.query_one(functions, &[]).await.unwrap().get::<_, i64>(0), 0);
    client.batch_execute("drop schema pgmnemo cascade").await.unwrap();
    drop(client);
    up().await;
    let client = test.database().client().await.unwrap();
    assert!(
        client.query_one(functions, &[]).await.unwrap().get::<_, i64>(0) > 20,
        "once the name is free the door is there"
    );
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_an_older_store_appear_after_its_upgrade() {
    use heirloom_store::schema::{Catalog, STORE};
    let test = heirloom_engine::testkit::TestDatabase::fresh().await;
    let mut client = test.database().client().await.unwrap();
    let before = STORE.migrations.iter().position(|file| file.name() == "0008_sql_door.sql").unwrap();
    client
        .batch_execute(
            "create extension if not exists vector; set heirloom.up_dimension = '1024'; \
             set heirloom.up_language = 'english'; set heirloom.up_version = '0'",
        )
        .await
        .unwrap();
    Catalog { migrations: &STORE.migrations[..before], objects: &[], ..STORE }.up(&mut client).await.unwrap();
    client
        .batch_execute(
            "insert into heirloom.memory (id, namespace, role, topic, content, valid_from, valid_to, source_task_id, created_at)
             values (gen_random_uuid(), 'project:7', 'r', 't', 'x', null, '2021-01-01Z', '17', '2020-01-01Z')",
        )
        .await
        .unwrap();
    drop(client);
    heirloom_store::Store::up(test.database(), &heirloom_store::UpOptions::default()).await.unwrap();
    let client = test.database().client().await.unwrap();
    let shown = "select t_valid_from = '2020-01-01Z' and t_valid_to = '2021-01-01Z' and source_task_id = 17 and source_type is null
                     and project_id = 7
                 from pgmnemo.agent_lesson";
    assert!(client.query_one(shown, &[]).await.unwrap().get::<_, bool>(0));
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_another_door_has_the_project_of_its_namespace() {
    let door = Door::open().await;
    for (namespace, project) in [
        ("project:42", "42"),
        ("project:-7", "-7"),
        ("project:0", "0"),
        ("project:2147483647", "2147483647"),
        ("project:2147483648", "-"),
        ("project:007", "-"),
        ("project:-0", "-"),
        ("project:a", "-"),
        ("project:4.2", "-"),
        ("team:42", "-"),
    ] {
        door.run(&format!(
            "insert into heirloom.memory (namespace, role, topic, content, commit_sha, verified_at)
             values ('{namespace}', 'r', 't', 'said at another door', 'c', now())"
        ))
        .await;
        assert_eq!(
            door.row("select project_id from pgmnemo.agent_lesson order by id desc limit 1").await,
            project,
            "{namespace}"
        );
    }
    assert_eq!(door.row("select project_id from pgmnemo.recall_lessons(null, 5, null, 42, 'door')").await, "42");
    assert_eq!(door.row("select project_id from pgmnemo.as_of(now()) where project_id = 42").await, "42");
    assert_eq!(
        door.row("select count(*) from heirloom.memory where project_id is not null").await,
        "0",
        "what the writer said stays what it was"
    );
    door.run("update pgmnemo.agent_lesson set project_id = 43 where project_id = 42").await;
    assert_eq!(
        door.row("select namespace, project_id from heirloom.memory where project_number = 43").await,
        "project:43|43",
        "and moves as any other does"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lessons_that_move_together_take_their_links_along_and_none_leaves_one_behind() {
    let door = Door::open().await;
    for id in 1..=4 {
        door.run(&format!("{INSERT}, id, project_id) values ('r', 't{id}', 'x', 'c', {id}, 1)")).await;
    }
    door.run("select pgmnemo.add_edge(1, 2, 'CAUSED_BY'), pgmnemo.add_edge(2, 3, 'CAUSED_BY')").await;
    for (who, message) in [
        ("id = 1", "lesson 1 is linked to lesson 2 of the project it would leave"),
        ("id in (1, 2)", "lesson 2 is linked to lesson 3 of the project it would leave"),
        ("id = 3", "lesson 3 is linked to lesson 2 of the project it would leave"),
    ] {
        let refused = door.refused(&format!("update pgmnemo.agent_lesson set project_id = 2 where {who}")).await;
        assert_eq!(refused.code, "23503");
        assert!(refused.message.starts_with(message), "{}", refused.message);
    }
    door.run("update pgmnemo.agent_lesson set project_id = 2 where id = 4").await;
    door.run("update pgmnemo.agent_lesson set project_id = 2 where project_id = 1").await;
    assert_eq!(
        door.rows("select source_id, target_id from pgmnemo.mem_edge order by 1").await,
        ["1|2", "2|3"],
        "all of them, with both links"
    );
    assert_eq!(door.row("select string_agg(distinct namespace, ',') from heirloom.edge").await, "project:2");
    door.run("delete from heirloom.edge e using heirloom.memory m where m.lesson_id = 2 and m.id in (e.source_id, e.target_id)").await;
    door.run("update pgmnemo.agent_lesson set project_id = 1 where id = 2").await;
    door.close().await;
}

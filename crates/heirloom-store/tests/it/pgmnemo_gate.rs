//! The provenance gate of the SQL door: who gets in, as what, and what is said.

use crate::door::Door;

const BARE: &str =
    "insert into pgmnemo.agent_lesson (role, topic, lesson_text, verified_at) values ('r', 't', 'x', now())";

#[tokio::test(flavor = "multi_thread")]
async fn enforce_is_the_default_and_refuses_with_p0001() {
    let door = Door::open().await;
    for set in [
        "select 1",
        "set pgmnemo.gate_strict = ''",
        "set pgmnemo.gate_strict = ' EnForce '",
        "reset pgmnemo.gate_strict",
    ] {
        door.run(set).await;
        for values in ["null, null", "'', null", "null, '  '"] {
            let sql = format!(
                "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, artifact_hash) values ('r', 't', 'x', {values})"
            );
            let refused = door.refused(&sql).await;
            assert_eq!(refused.code, "P0001", "{set}");
            assert!(
                refused.message.starts_with("pgmnemo provenance gate [enforce]: INSERT rejected"),
                "{}",
                refused.message
            );
        }
    }
    for (commit, artifact) in [("'c'", "null"), ("null", "'a'"), ("'c'", "'a'")] {
        door.run(&format!(
            "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, artifact_hash) values ('r', 't', 'x', {commit}, {artifact})"
        ))
        .await;
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn warn_says_so_once_a_statement_and_off_says_nothing() {
    let door = Door::open().await;
    door.run("set pgmnemo.gate_strict = 'warn'").await;
    door.said();
    door.run(
        "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha)
         select 'r', 't' || g, 'x', case when g <= 100 then 'c' end from generate_series(1, 500) g",
    )
    .await;
    if let Some(said) = door.said() {
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("WARNING: pgmnemo provenance gate [warn]: INSERT accepted without commit_sha or artifact_hash: 400 of 500 row(s)"),
            "{said:?}"
        );
    }
    door.run("set pgmnemo.gate_strict = ' OFF '").await;
    door.run(BARE).await;
    assert_eq!(door.said().unwrap_or_default(), Vec::<String>::new());
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_provenance_a_lesson_is_a_ghost_whoever_wrote_it() {
    let door = Door::open().await;
    for gate in ["warn", "off"] {
        door.run(&format!("set pgmnemo.gate_strict = '{gate}'")).await;
        door.run(BARE).await;
        door.run(&format!("select pgmnemo.ingest('r', null, '{gate}', 'a text of more than twenty characters')")).await;
    }
    assert_eq!(door.row("select count(*), count(verified_at) from pgmnemo.agent_lesson").await, "4|0");
    door.run("update pgmnemo.agent_lesson set verified_at = now()").await;
    assert_eq!(
        door.row("select count(verified_at) from pgmnemo.agent_lesson").await,
        "4",
        "somebody may vouch for them later"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_provenance_the_callers_verified_at_is_kept_null_included() {
    let door = Door::open().await;
    door.run(
        "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, verified_at) values
             ('r', 't', 'x', 'c', '2020-01-01Z'), ('r', 'u', 'x', 'c', null)",
    )
    .await;
    assert_eq!(
        door.rows("select verified_at from pgmnemo.agent_lesson order by id").await,
        ["2020-01-01 00:00:00+00", "-"]
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_value_is_an_error_that_says_what_is_accepted() {
    let door = Door::open().await;
    for value in ["bananas", "on", "enforced"] {
        door.run(&format!("set pgmnemo.gate_strict = '{value}'")).await;
        let refused = door.refused(BARE).await;
        assert_eq!(refused.code, "22023");
        assert_eq!(refused.message, format!("pgmnemo.gate_strict is '{value}': it takes enforce, warn or off"));
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn set_local_ends_with_its_transaction_and_alter_role_lasts() {
    let door = Door::open().await;
    door.run(&format!("begin; set local pgmnemo.gate_strict = 'off'; {BARE}; commit")).await;
    assert_eq!(door.refused(BARE).await.code, "P0001");
    if let Some(url) = door.test().url() {
        door.run("do $$ begin execute format('alter database %I set pgmnemo.gate_strict = ''off''', current_database()); end $$").await;
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        let driven = tokio::spawn(connection);
        client.batch_execute(BARE).await.unwrap();
        drop(client);
        driven.await.unwrap().unwrap();
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_takes_the_last_provenance_away_meets_the_gate_too() {
    let door = Door::open().await;
    door.run(
        "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, verified_at)
         select 'r', 't' || g, 'x', 'c', now() from generate_series(1, 3) g",
    )
    .await;
    for set in ["commit_sha = null", "commit_sha = ''"] {
        let refused = door.refused(&format!("update pgmnemo.agent_lesson set {set}")).await;
        assert_eq!(refused.code, "P0001");
        assert!(
            refused.message.starts_with("pgmnemo provenance gate [enforce]: UPDATE rejected"),
            "{}",
            refused.message
        );
    }
    door.run("update pgmnemo.agent_lesson set commit_sha = null, artifact_hash = 'a' where topic = 't1'").await;
    door.run("set pgmnemo.gate_strict = 'warn'").await;
    door.said();
    door.run("update pgmnemo.agent_lesson set commit_sha = null where topic <> 't1'").await;
    if let Some(said) = door.said() {
        assert_eq!(said.len(), 1, "one for the statement: {said:?}");
        assert!(said[0].starts_with("WARNING: pgmnemo provenance gate [warn]: UPDATE"), "{said:?}");
    }
    assert_eq!(
        door.row("select count(verified_at) from pgmnemo.agent_lesson").await,
        "1",
        "the other two are ghosts now"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_doors_and_their_loader_do_not_meet_the_gate() {
    let door = Door::open().await;
    door.run("insert into heirloom.memory (namespace, role, topic, content) values ('team:a', 'r', 't', 'a ghost')")
        .await;
    assert_eq!(door.row("select verified_at from pgmnemo.agent_lesson").await, "-");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_source_type_means_the_default_and_is_no_way_past_the_gate() {
    let door = Door::open().await;
    let bare = [
        BARE.replace("verified_at)", "verified_at, source_type)").replace("now())", "now(), null)"),
        BARE.replace("agent_lesson", "mem_item")
            .replace("verified_at)", "verified_at, source_type)")
            .replace("now())", "now(), null)"),
    ];
    for sql in &bare {
        let refused = door.refused(sql).await;
        assert_eq!(refused.code, "P0001", "{sql}");
        assert!(
            refused.message.starts_with("pgmnemo provenance gate [enforce]: INSERT rejected"),
            "{}",
            refused.message
        );
    }
    door.run("set pgmnemo.gate_strict = 'off'").await;
    for sql in &bare {
        door.run(sql).await;
    }
    assert_eq!(
        door.row(
            "select count(*), count(verified_at), count(*) filter (where source_type = 'auto_captured'),
                 count(*) filter (where t_valid_from <= now()) from pgmnemo.agent_lesson"
        )
        .await,
        "2|0|2|2"
    );
    door.run("update heirloom.memory set updated_at = '2020-01-01Z'").await;
    door.run("update pgmnemo.agent_lesson set source_type = null").await;
    assert_eq!(
        door.row("select distinct source_type, updated_at > '2026-01-01' from pgmnemo.agent_lesson").await,
        "auto_captured|t"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_lessons_ingested_in_one_statement_are_warned_of_once() {
    let door = Door::open().await;
    door.run("set pgmnemo.gate_strict = 'warn'").await;
    let many =
        "select pgmnemo.ingest('r', 1, 't', 'a lesson of some length, number ' || g) from generate_series(1, 20) g";
    for _ in 0..2 {
        door.said();
        assert_eq!(door.rows(many).await.len(), 20);
        if let Some(said) = door.said() {
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].starts_with("WARNING: pgmnemo provenance gate [warn]: INSERT accepted"), "{said:?}");
        }
    }
    door.close().await;
}

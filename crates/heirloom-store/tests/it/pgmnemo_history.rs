//! What UPDATE and DELETE of the SQL door leave behind: revisions, transitions, tombstones and activity, as the
//! operations of the other doors leave them, and once.

use heirloom_store::{Remember, StoreError};

use crate::door::{Door, axis};
use crate::world::{lesson, scope};

const ACTIVITY: &str =
    "select action, m.n, details::text, content_sha256 = sha256(convert_to(m.says, 'UTF8')), actor = session_user
     from heirloom.activity a
     join lessons m on m.id = a.memory_id
     where action <> 'remember' order by a.id";

/// Three lessons of project 1, the second of another door and handed down from elsewhere; the session is project 1.
/// `lessons` knows them by number, and what they say.
async fn furnished() -> Door {
    let door = Door::open().await;
    door.run(
        "insert into pgmnemo.agent_lesson (project_id, role, topic, lesson_text, metadata, commit_sha, state)
             values (1, 'r', 'one', 'first text', '{\"a\": 1}', 'c', 'draft');
         insert into heirloom.memory (id, namespace, role, topic, content, commit_sha)
             values ('00000000-0000-0000-0000-000000000002', 'project:1', 'r', 'two', 'second text', 'c');
         insert into pgmnemo.agent_lesson (project_id, role, topic, lesson_text, commit_sha) values (1, 'r', 'three', 'third text', 'c');
         insert into heirloom.origin (id, namespace, run_id, source, source_key, source_row, source_digest, written_digest)
             values ('00000000-0000-0000-0000-000000000002', 'project:1', gen_random_uuid(), 's', 'k', '{}', decode(repeat('00', 16), 'hex'), decode(repeat('00', 16), 'hex'));
         create temp table lessons as select id, row_number() over (order by lesson_id) as n, content as says from heirloom.memory;
         grant all on lessons to heirloom_serve;
         set role heirloom_serve; set pgmnemo.tenant_id = '1'",
    )
    .await;
    door
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_what_a_lesson_says_keeps_what_it_said() {
    let door = furnished().await;
    door.run(
        "update pgmnemo.agent_lesson set lesson_text = lesson_text || ' again' where topic <> 'three';
         update lessons set says = says || ' again' where n < 3;
         update pgmnemo.agent_lesson set topic = 'uno', metadata = null where topic = 'one'",
    )
    .await;
    assert_eq!(
        door.rows("select l.n, version_n, role, topic, content, metadata::text, actor = session_user from heirloom.revision r join lessons l on l.id = r.memory_id order by 1, 2").await,
        [
            "1|1|r|one|first text|{\"a\": 1}|t",
            "1|2|r|one|first text again|{\"a\": 1}|t",
            "2|1|r|two|second text|-|t"
        ]
    );
    assert_eq!(
        door.rows("select topic, version_n, patch_count from pgmnemo.agent_lesson order by id").await,
        ["uno|3|2", "two|2|1", "three|1|0"]
    );
    assert_eq!(
        door.rows(ACTIVITY).await,
        ["revise|1|{\"version\": 2}|t|t", "revise|2|{\"version\": 2}|t|t", "revise|1|{\"version\": 3}|t|t"]
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_revision_is_lost_where_a_writer_counts_versions_as_it_likes() {
    let door = furnished().await;
    door.run(
        "update pgmnemo.agent_lesson set lesson_text = 'b', version_n = 7 where topic = 'one';
         update pgmnemo.agent_lesson set version_n = 1 where topic = 'one';
         update pgmnemo.agent_lesson set lesson_text = 'c' where topic = 'one';
         update pgmnemo.agent_lesson set lesson_text = 'd', version_n = 1 where topic = 'one'",
    )
    .await;
    assert_eq!(
        door.rows("select version_n, content from heirloom.revision order by 1").await,
        ["1|first text", "2|b", "3|c"]
    );
    assert_eq!(door.row("select version_n from pgmnemo.agent_lesson where topic = 'one'").await, "3");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_the_state_is_a_step_of_its_history_also_where_no_pair_allows_it() {
    let door = furnished().await;
    door.run(
        "update pgmnemo.agent_lesson set state_changed_at = '2020-01-01Z';
         update pgmnemo.agent_lesson set state = 'candidate' where topic <> 'three';
         update pgmnemo.agent_lesson set state = 'archived' where topic = 'one';
         update pgmnemo.agent_lesson set state = 'archived' where topic = 'one'",
    )
    .await;
    assert_eq!(
        door.rows("select l.n, from_state, to_state, actor = session_user, reason from heirloom.state_transition t join lessons l on l.id = t.memory_id order by t.id").await,
        ["1|draft|candidate|t|-", "2|draft|candidate|t|-", "1|candidate|archived|t|-"]
    );
    assert_eq!(
        door.rows(ACTIVITY).await,
        [
            "transition|1|{\"to\": \"candidate\", \"from\": \"draft\"}|t|t",
            "transition|2|{\"to\": \"candidate\", \"from\": \"draft\"}|t|t",
            "transition|1|{\"to\": \"archived\", \"from\": \"candidate\"}|t|t"
        ]
    );
    assert_eq!(
        door.row(
            "select string_agg((state_changed_at > '2026-01-01Z')::text, ',' order by id) from pgmnemo.agent_lesson"
        )
        .await,
        "true,true,false"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_forgotten() {
    let door = furnished().await;
    door.run("update pgmnemo.agent_lesson set state = 'candidate', lesson_text = lesson_text || '.'").await;
    door.run("update lessons set says = says || '.'; delete from pgmnemo.agent_lesson where topic <> 'three'").await;
    assert_eq!(
        door.rows("select l.n, t.actor = session_user, t.reason from heirloom.tombstone t join lessons l using (id) order by 1").await,
        ["1|t|-", "2|t|-"]
    );
    assert_eq!(
        door.rows(&format!("select * from ({ACTIVITY}) a where action = 'forget' order by n")).await,
        ["forget|1|-|t|t", "forget|2|-|t|t"]
    );
    for table in ["revision", "state_transition"] {
        assert_eq!(door.row(&format!("select count(*) from heirloom.{table}")).await, "1", "{table}");
    }
    assert_eq!(door.row("select count(*) from heirloom.origin").await, "0", "the source row holds the text");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_judged_and_until_when_it_is_kept_leaves_a_line_and_what_is_learnt_leaves_none() {
    let door = furnished().await;
    door.run(
        "update pgmnemo.agent_lesson set verified_at = now() where topic = 'one';
         update pgmnemo.agent_lesson set importance = 5 where topic = 'one';
         update pgmnemo.agent_lesson set expires_at = '2030-01-01Z' where topic = 'one';
         update pgmnemo.agent_lesson set expires_at = 'infinity' where topic = 'one';
         update pgmnemo.agent_lesson set confidence = 0.9, use_count = 3, recall_count = 2, lesson_text = lesson_text",
    )
    .await;
    assert_eq!(
        door.rows(ACTIVITY).await,
        [
            "revise|1|{\"version\": 1}|t|t",
            "revise|1|{\"version\": 1}|t|t",
            "keep|1|{\"expires_us\": 1893456000000000}|t|t",
            "keep|1|{\"expires_us\": null}|t|t"
        ]
    );
    assert_eq!(door.row("select count(*) from heirloom.revision").await, "0", "it says what it said");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_functions_of_the_door_note_their_steps_once() {
    let door = furnished().await;
    door.run(
        "set pgmnemo.auto_promote_threshold = 1;
         select pgmnemo.reinforce(1, 'success');
         select pgmnemo.transition_lesson(1, 'canonical', 'good', 'ada');
         update pgmnemo.agent_lesson set created_at = '2020-01-01Z', commit_sha = null, artifact_hash = 'h', confidence = 0.1 where id = 3;
         select pgmnemo.mark_stale(1, 0.6, false, false);
         update pgmnemo.agent_lesson set expires_at = '2020-01-01Z' where id = 3;
         select pgmnemo.evict_expired_lessons()",
    )
    .await;
    assert_eq!(
        door.rows("select l.n, from_state, to_state from heirloom.state_transition t join lessons l on l.id = t.memory_id order by t.id").await,
        ["1|draft|validated", "1|validated|canonical"]
    );
    assert_eq!(
        door.rows("select action, m.n from heirloom.activity a join lessons m on m.id = a.memory_id where action <> 'remember' order by a.id").await,
        ["transition|1", "transition|1", "revise|3", "transition|3", "keep|3", "evict|3"]
    );
    assert_eq!(door.row("select count(*), min(reason) from heirloom.tombstone").await, "1|expired");
    door.run(
        "select pgmnemo.remember_fact('r', 'person:ada', 'likes', v, p_project_id => 1, p_confidence => 0.9)
         from (values ('tea'), ('coffee')) v(v)",
    )
    .await;
    assert_eq!(
        door.rows("select m.content, t.to_state from heirloom.state_transition t join heirloom.memory m on m.id = t.memory_id where m.content_type = 'fact'").await,
        ["tea|superseded"]
    );
    assert_eq!(door.row("select count(*) from heirloom.activity where details ->> 'to' = 'superseded'").await, "1");
    door.run(&format!(
        "insert into pgmnemo.agent_lesson (project_id, role, topic, lesson_text, commit_sha, verified_at, embedding)
             select 1, 'twin', 't' || g, 'text ' || g, 'c', now(), {} from generate_series(1, 2) g;
         select pgmnemo.consolidate(0.9, false, 'twin');
         select pgmnemo.undo_consolidate(null, false);
         update pgmnemo.agent_lesson set success_count = 5, last_outcome = 'success' where topic = 't1';
         select pgmnemo.auto_promote_drafts(false)",
        axis(1, 0.0)
    ))
    .await;
    let steps = ["draft|superseded", "superseded|draft", "draft|validated"];
    assert_eq!(
        door.rows("select from_state, to_state from heirloom.state_transition t join heirloom.memory m on m.id = t.memory_id where m.role = 'twin' order by t.id").await,
        steps
    );
    assert_eq!(
        door.rows("select details ->> 'from', details ->> 'to' from heirloom.activity a join heirloom.memory m on m.id = a.memory_id where m.role = 'twin' and action <> 'remember' order by a.id").await,
        steps
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_held_by_no_policy_and_repairs_another_doors_row_by_hand_leaves_it_unexplained() {
    let door = furnished().await;
    door.run(
        "reset role;
         update heirloom.memory set content = 'by hand', state = 'candidate' where topic = 'two';
         delete from heirloom.memory where topic = 'two';
         set heirloom.redacted = 'on';
         update heirloom.memory set content = 'a restore' where topic = 'one'",
    )
    .await;
    for table in ["revision", "state_transition", "tombstone", "activity where action <> 'remember'"] {
        assert_eq!(door.row(&format!("select count(*) from heirloom.{table}")).await, "0", "{table}");
    }
    assert_eq!(door.row("select count(*) from heirloom.origin").await, "1", "it proves that a row is missing");
    door.run(
        "reset heirloom.redacted; update pgmnemo.agent_lesson set lesson_text = 'as the owner' where topic = 'one'",
    )
    .await;
    assert_eq!(
        door.rows("select content from heirloom.revision").await,
        ["a restore"],
        "a lesson of this door has a history whoever writes"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_move_or_a_delete_is_told_what_became_of_the_id() {
    let door = furnished().await;
    if door.test().url().is_none() {
        return door.close().await;
    }
    door.run("reset role").await;
    let again = Remember {
        id: Some(door.row("select id from lessons where n = 1").await.parse().unwrap()),
        ..lesson("project:1", "first text", Some("c"))
    };
    let waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    for (statement, told) in [
        ("update pgmnemo.agent_lesson set project_id = 2 where topic = 'one'", "another namespace"),
        ("delete from pgmnemo.agent_lesson where topic = 'one'", "was forgotten"),
    ] {
        door.run("update pgmnemo.agent_lesson set project_id = 1 where topic = 'one'").await;
        door.run(&format!("begin; {statement}")).await;
        let (store, again) = (door.store().clone(), again.clone());
        let waiting = tokio::spawn(async move { store.remember(&scope("project:1"), &again).await });
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while door.row(waits).await == "0" {
            assert!(std::time::Instant::now() < deadline, "the other never waited");
            tokio::task::yield_now().await;
        }
        door.run("commit").await;
        let refused = waiting.await.unwrap().unwrap_err();
        assert!(
            matches!(&refused, StoreError::Conflict(_)) && refused.to_string().contains(told),
            "{statement}: {refused}"
        );
    }
    door.close().await;
}

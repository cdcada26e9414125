//! The life of a lesson by the SQL door: nineteen transitions, expiry and eviction, and what they leave behind.

use heirloom_store::{STATES, TRANSITIONS};

use crate::door::Door;

#[tokio::test(flavor = "multi_thread")]
async fn the_transition_table_holds_the_nineteen_pairs_of_the_store() {
    let door = Door::open().await;
    let mut pairs: Vec<_> = TRANSITIONS.iter().map(|(from, to)| format!("{from}|{to}")).collect();
    pairs.sort();
    let found = door.rows("select from_state, to_state from pgmnemo.agent_lesson_state_transition order by from_state || '|' || to_state collate \"C\"").await;
    assert_eq!(found, pairs);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pair_of_states_is_allowed_or_refused_as_the_table_says() {
    let door = Door::open().await;
    for from in STATES {
        for to in STATES {
            let id = door
                .row(&format!(
                    "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, state, state_changed_at)
                     values ('r', '{from} {to}', 'x', 'c', '{from}', '2020-01-01Z') returning id"
                ))
                .await;
            let step = format!(
                "select (l).id, (l).state, (l).state_changed_at > '2026-01-01' from pgmnemo.transition_lesson({id}, '{to}') l"
            );
            if TRANSITIONS.contains(&(from, to)) {
                assert_eq!(door.row(&step).await, format!("{id}|{to}|t"));
            } else {
                let refused = door.refused(&step).await;
                assert_eq!(refused.code, "P0001");
                assert_eq!(refused.message, format!("invalid state transition: {from} → {to}"));
            }
        }
    }
    assert_eq!(door.row("select count(*) from heirloom.state_transition").await, "19");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_lessons_and_states_are_named() {
    let door = Door::open().await;
    for (call, message) in
        [("99, 'candidate'", "lesson 99 not found"), ("null, 'candidate'", "lesson <NULL> not found")]
    {
        let refused = door.refused(&format!("select pgmnemo.transition_lesson({call})")).await;
        assert_eq!((refused.code.as_str(), refused.message.as_str()), ("P0001", message));
    }
    door.run("insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha) values ('r', 't', 'x', 'c')")
        .await;
    for (state, message) in [
        ("'bananas'", "invalid state transition: draft → bananas"),
        ("null", "invalid state transition: draft → <NULL>"),
    ] {
        let refused = door.refused(&format!("select pgmnemo.transition_lesson(1, {state})")).await;
        assert_eq!((refused.code.as_str(), refused.message.as_str()), ("P0001", message));
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transition_leaves_who_and_why() {
    let door = Door::open().await;
    door.run("insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha) values ('r', 't', 'x', 'c')")
        .await;
    door.run("select pgmnemo.transition_lesson(lesson_id := 1, new_state := 'validated', reason := 'reviewed', actor := 'ada')").await;
    door.run("select pgmnemo.transition_lesson(1, 'canonical')").await;
    assert_eq!(
        door.rows("select from_state, to_state, actor = 'ada', reason from heirloom.state_transition order by id")
            .await,
        ["draft|validated|t|reviewed", "validated|canonical|f|-"]
    );
    assert_eq!(
        door.rows("select action, actor = 'ada', details ->> 'to', details ->> 'reason', content_sha256 is not null from heirloom.activity order by id").await,
        ["remember|f|-|-|t", "transition|t|validated|reviewed|t", "transition|f|canonical|-|t"]
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eviction_removes_what_expired_and_nothing_else_and_can_be_tried_first() {
    let door = Door::open().await;
    door.run(
        "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, expires_at, state)
         select 'r', 't' || g, 'x', 'c', case when g <= 5 then now() - g * '1 day'::interval when g = 6 then now() + '1 day'::interval end,
             case when g = 1 then 'canonical' else 'draft' end
         from generate_series(1, 7) g;
         insert into heirloom.memory (namespace, kind, content, expires_at) values ('team:a', 'fact', 'no lesson', '2020-01-01Z')",
    )
    .await;
    assert_eq!(door.row("select pgmnemo.evict_expired_lessons(dry_run => true)").await, "5");
    assert_eq!(door.row("select count(*) from pgmnemo.agent_lesson").await, "7", "a dry run removes nothing");
    assert_eq!(door.row("select pgmnemo.evict_expired_lessons(dry_run => null)").await, "5", "NULL is no order");
    assert_eq!(door.row("select pgmnemo.evict_expired_lessons(batch_limit => 2)").await, "2");
    assert_eq!(
        door.row("select string_agg(topic, ',' order by topic) from pgmnemo.agent_lesson").await,
        "t1,t2,t3,t6,t7",
        "the oldest first"
    );
    assert_eq!(
        door.row("select pgmnemo.evict_expired_lessons(), pg_typeof(pgmnemo.evict_expired_lessons())").await,
        "3|integer"
    );
    assert_eq!(door.row("select pgmnemo.evict_expired_lessons()").await, "0", "a second call finds nothing");
    assert_eq!(door.row("select string_agg(topic, ',' order by topic) from pgmnemo.agent_lesson").await, "t6,t7");
    assert_eq!(door.row("select count(*) from heirloom.memory").await, "3", "what is no lesson is not this door's");
    assert_eq!(
        door.row("select count(*), count(distinct memory_id), min(details ->> 'reason'), count(content_sha256), bool_and(actor = session_user) from heirloom.activity where action = 'evict'").await,
        "5|5|expired|5|t"
    );
    assert_eq!(
        door.row("select count(*) from heirloom.tombstone where reason = 'expired'").await,
        "5",
        "an import does not bring them back"
    );
    assert_eq!(door.refused("select pgmnemo.evict_expired_lessons(batch_limit => -1)").await.code, "22023");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transition_gives_back_the_lesson_it_moved_where_two_projects_have_the_id() {
    let door = Door::open().await;
    door.run(
        "insert into pgmnemo.agent_lesson (id, project_id, role, topic, lesson_text, commit_sha) values (7, 2, 'r', 't', 'x', 'c');
         insert into pgmnemo.agent_lesson (id, project_id, role, topic, lesson_text, commit_sha) values (7, 1, 'r', 't', 'x', 'c')",
    )
    .await;
    assert_eq!(
        door.row("select (l).project_id, (l).state from pgmnemo.transition_lesson(7, 'candidate') l").await,
        "1|candidate"
    );
    assert_eq!(
        door.row("select string_agg(project_id || state, ',' order by project_id) from pgmnemo.agent_lesson").await,
        "1candidate,2draft"
    );
    door.close().await;
}

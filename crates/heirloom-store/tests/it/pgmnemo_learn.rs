//! What the SQL door learns: outcomes, typed memories, links, what went stale and what says the same.

use crate::door::{Door, axis};

async fn lessons(door: &Door, many: u32) {
    door.run(&format!(
        "insert into pgmnemo.agent_lesson (id, role, project_id, topic, lesson_text, commit_sha, verified_at)
         select g, 'r', 1, 't' || g, 'lesson ' || g, 'c', now() from generate_series(1, {many}) g"
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reinforcing_moves_confidence_to_the_mean_of_the_posterior() {
    let door = Door::open().await;
    lessons(&door, 1).await;
    for (outcome, confidence) in [("success", "0.6666667"), ("success", "0.75"), ("failure", "0.6"), ("neutral", "0.6")]
    {
        assert_eq!(door.row(&format!("select pgmnemo.reinforce(1, '{outcome}')")).await, confidence, "{outcome}");
    }
    assert_eq!(
        door.row("select success_count, fail_count, use_count, last_outcome from pgmnemo.agent_lesson").await,
        "2|1|3|failure"
    );
    assert_eq!(
        door.row("select pgmnemo.reinforce(p_lesson_id := 1, p_outcome := 'success', p_used := false)").await,
        "0.6",
        "shown, not used"
    );
    assert_eq!(door.row("select pgmnemo.reinforce(1, 'neutral', true)").await, "0.6");
    assert_eq!(door.row("select use_count, last_outcome from pgmnemo.agent_lesson").await, "4|neutral");
    door.run("set pgmnemo.confidence_prior_alpha = '8'; set pgmnemo.confidence_prior_beta = '0.001'").await;
    assert_eq!(
        door.row("select round(pgmnemo.reinforce(1, 'success')::numeric, 3)").await,
        "0.916",
        "(3 + 8) / (4 + 8 + 0.01)"
    );
    door.run("set pgmnemo.confidence_mode = 'additive'").await;
    assert_eq!(door.row("select round(pgmnemo.reinforce(1, 'failure')::numeric, 3)").await, "0.796");
    assert_eq!(door.row("select round(pgmnemo.reinforce(1, 'success')::numeric, 3)").await, "0.816");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_was_right_three_times_is_validated_and_its_history_says_so() {
    let door = Door::open().await;
    lessons(&door, 3).await;
    door.run(r#"update pgmnemo.agent_lesson set metadata = '{"_auto_promote_exempt": true}' where id = 2"#).await;
    for _ in 0..3 {
        assert_eq!(
            door.row("select pgmnemo.reinforce(array[1, 2, 99], 'success')").await,
            "2",
            "ids that are not there are left out"
        );
    }
    door.run("set pgmnemo.auto_promote_enabled = off").await;
    for _ in 0..4 {
        door.run("select pgmnemo.reinforce(3, 'success')").await;
    }
    assert_eq!(door.rows("select state from pgmnemo.agent_lesson order by id").await, ["validated", "draft", "draft"]);
    assert_eq!(
        door.rows("select lesson_id, success_count, dry_run from pgmnemo.auto_promote_drafts()").await,
        ["3|4|t"]
    );
    assert_eq!(
        door.rows("select lesson_id from pgmnemo.auto_promote_drafts(p_dry_run => false, p_limit => 5)").await,
        ["3"]
    );
    assert_eq!(
        door.rows("select state from pgmnemo.agent_lesson order by id").await,
        ["validated", "draft", "validated"]
    );
    assert_eq!(
        door.rows("select from_state, to_state, reason from heirloom.state_transition order by at").await,
        ["draft|validated|it was right 3 times", "draft|validated|it was right 4 times"]
    );
    for (call, code) in [
        ("reinforce(99, 'success')", "P0001"),
        ("reinforce(1, 'Success')", "P0001"),
        ("reinforce(1, null)", "P0001"),
        ("reinforce(array[1], 'great')", "P0001"),
    ] {
        assert_eq!(door.refused(&format!("select pgmnemo.{call}")).await.code, code, "{call}");
    }
    door.run("set pgmnemo.confidence_mode = 'bananas'").await;
    assert_eq!(door.refused("select pgmnemo.reinforce(1, 'success')").await.code, "P0001");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_is_merged_when_it_says_the_same_and_supersedes_when_it_does_not() {
    let door = Door::open().await;
    let fact = |value: &str, more: &str| {
        format!(
            "select id, final_state from pgmnemo.remember_fact('dev', 'person:ada', 'employer', '{value}', p_project_id => 1{more})"
        )
    };
    let vouched = ", p_confidence => 0.9";
    let first = door.row(&fact("Acme", vouched)).await;
    assert!(first.ends_with("|validated"), "{first}");
    assert_eq!(door.row(&fact("Acme", ", p_confidence => 0.95")).await, first, "merged");
    assert_eq!(
        door.row("select confidence, version_n, artifact_hash, topic, content_type from pgmnemo.agent_lesson").await,
        "0.95|1|fact-person:ada:employer|person:ada:employer|fact"
    );
    let doubtful = door.row(&fact("Initech", "")).await;
    assert!(doubtful.ends_with("|candidate"), "{doubtful}");
    assert_eq!(door.row("select count(*) from pgmnemo.mem_item").await, "2", "a ghost closes nothing that is verified");
    let second = door.row(&fact("Umbrella", vouched)).await;
    assert_eq!(door.row("select id || '|' || state, version_n from pgmnemo.mem_item").await, format!("{second}|3"));
    assert_eq!(door.row("select count(*) from pgmnemo.agent_lesson where state = 'superseded'").await, "2");
    assert_ne!(
        door.row(&fact("Umbrella", vouched).replace("=> 1,", "=> null,")).await,
        second,
        "a fact belongs to its project"
    );
    for state in ["rejected", "archived", "deprecated"] {
        let judged = door.row("select id from pgmnemo.mem_item where project_id = 1").await;
        door.run(&format!("update pgmnemo.agent_lesson set state = '{state}' where id = {judged}")).await;
        let anew = door.row(&fact("Umbrella", vouched)).await;
        assert!(anew.ends_with("|validated") && !anew.starts_with(&format!("{judged}|")), "{state}: {anew}");
        assert_eq!(
            door.row(&format!("select state, t_valid_to = 'infinity' from pgmnemo.agent_lesson where id = {judged}"))
                .await,
            format!("{state}|f"),
            "a judgement stands"
        );
    }
    assert!(
        door.row("select final_state from pgmnemo.remember_fact('dev', 'person:ada', 'email', 'a@b.c', 0.99)").await
            == "candidate"
    );
    for (key, property, value) in [
        ("'ada'", "'p'", "'v'"),
        ("null", "'p'", "'v'"),
        ("'person:ada'", "''", "'v'"),
        ("'person:ada'", "'p'", "null"),
    ] {
        assert_eq!(
            door.refused(&format!("select * from pgmnemo.remember_fact('dev', {key}, {property}, {value})")).await.code,
            "P0001"
        );
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_added_and_relations_are_kept_once_with_a_link_between_entities() {
    let door = Door::open().await;
    let event = "select pgmnemo.remember_event('dev', 'project:apollo', 'launch', 'the third launch', '2020-01-01Z', p_project_id => 1)";
    assert_ne!(door.row(event).await, door.row(event).await);
    assert_eq!(
        door.row("select count(*), min(t_valid_from), min(state) from pgmnemo.mem_item").await,
        "2|2020-01-01 00:00:00+00|validated"
    );
    assert_eq!(door.row("select count(*) from pgmnemo.as_of('2020-06-01Z')").await, "2", "valid from when it occurred");
    for key in ["person:ada", "org:acme"] {
        door.run(&format!(
            "insert into pgmnemo.agent_lesson (role, project_id, topic, lesson_text, content_type, metadata, commit_sha)
             values ('dev', 1, '{key}', '{key}', 'entity', jsonb_build_object('canonical_name', '{key}'), 'c')"
        ))
        .await;
    }
    let relation = "select pgmnemo.remember_relation('dev', 'person:ada', 'org:acme', 'works_for', p_project_id => 1)";
    assert_eq!(door.row(relation).await, door.row(relation).await);
    assert_eq!(
        door.row("select count(*), min(relation_type), min(edge_kind) from pgmnemo.mem_edge").await,
        "1|works_for|semantic"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_upserted_by_mode_and_walked_both_ways_without_going_in_circles() {
    let door = Door::open().await;
    lessons(&door, 4).await;
    door.run("select pgmnemo.add_edge(1, 2, 'CAUSED_BY', 0.5), pgmnemo.add_edge(2, 3, 'DERIVED_FROM'), pgmnemo.add_edge(3, 1, 'CAUSED_BY')").await;
    for (mode, weight, wanted) in
        [("max", "0.2", "0.5"), ("avg", "0.1", "0.3"), ("replace", "7", "1"), ("replace", "0.5", "0.5")]
    {
        door.run(&format!("select pgmnemo.add_edge(1, 2, 'CAUSED_BY', {weight}, p_mode := '{mode}')")).await;
        assert_eq!(door.row("select weight from pgmnemo.mem_edge where source_id = 1").await, wanted, "{mode}");
    }
    assert_eq!(
        door.rows("select lesson_id, depth, path, path_weight from pgmnemo.traverse_causal_chain(1)").await,
        ["2|1|{1,2}|0.5", "3|2|{1,2,3}|0.5"]
    );
    assert_eq!(
        door.rows("select lesson_id from pgmnemo.traverse_causal_chain(1, 1, direction => 'backward')").await,
        ["3"]
    );
    assert_eq!(
        door.rows("select lesson_id from pgmnemo.traverse_causal_chain(1, 5, array['DERIVED_FROM'])").await,
        [""; 0]
    );
    assert_eq!(door.rows("select lesson_id from pgmnemo.traverse_causal_chain(4)").await, [""; 0]);
    assert_eq!(door.refused("select * from pgmnemo.traverse_causal_chain(1, direction => 'up')").await.code, "P0001");
    for (call, code) in [
        ("add_edge(1, 99, 'CAUSED_BY')", "23503"),
        ("add_edge(1, 1, 'CAUSED_BY')", "23514"),
        ("add_edge(1, null, 'CAUSED_BY')", "23502"),
        ("add_edge(1, 2, 'CAUSED_BY', p_mode := 'sum')", "P0001"),
    ] {
        assert_eq!(door.refused(&format!("select pgmnemo.{call}")).await.code, code, "{call}");
    }
    door.run("update pgmnemo.agent_lesson set created_at = created_at + '1 hour'::interval where id = 4").await;
    assert_eq!(door.rows("select lesson_id, linked from pgmnemo.traverse_temporal_window(2)").await, ["1|t", "3|t"]);
    assert_eq!(door.row("select count(*) from pgmnemo.traverse_temporal_window(2, '2 hours')").await, "3");
    assert_eq!(door.row("select count(*) from pgmnemo.traverse_temporal_window(2, '2 hours', false)").await, "2");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_used_and_nobody_trusts_can_be_marked_stale() {
    let door = Door::open().await;
    lessons(&door, 4).await;
    door.run("update pgmnemo.agent_lesson set created_at = now() - '100 days'::interval; update pgmnemo.agent_lesson set confidence = 0.9 where id = 2; select pgmnemo.mark_recalled(array[3])").await;
    assert_eq!(
        door.row("select recall_count, last_recalled_at is not null from pgmnemo.agent_lesson where id = 3").await,
        "1|t"
    );
    assert_eq!(door.rows("select lesson_id from pgmnemo.mark_stale()").await, [""; 0], "provenance keeps");
    assert_eq!(
        door.rows("select lesson_id, would_deprecate from pgmnemo.mark_stale(p_keep_provenance => false)").await,
        ["1|t", "4|t"]
    );
    assert_eq!(
        door.row("select count(*) from pgmnemo.agent_lesson where state = 'deprecated'").await,
        "0",
        "a dry run"
    );
    assert_eq!(door.rows("select lesson_id from pgmnemo.mark_stale(45, 0.6, false, false, 1)").await, ["1"]);
    assert_eq!(
        door.row("select state, (select reason from heirloom.state_transition) from pgmnemo.agent_lesson where id = 1")
            .await,
        "deprecated|unused for 45 days"
    );
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn near_duplicates_are_merged_into_the_best_and_taken_back_exactly() {
    let door = Door::open().await;
    for (id, role, project, at, lean) in [
        (1, "r", 1, 1, 0.0),
        (2, "r", 1, 1, 0.02),
        (3, "r", 1, 1, 0.014),
        (4, "r", 1, 500, 0.0),
        (5, "s", 1, 1, 0.0),
        (6, "r", 2, 1, 0.0),
    ] {
        door.run(&format!(
            "insert into pgmnemo.agent_lesson (id, role, project_id, topic, lesson_text, embedding, commit_sha, verified_at, recall_count)
             values ({id}, '{role}', {project}, 't{id}', 'x', {}, 'c', now(), {})",
            axis(at, lean),
            if id == 1 { 5 } else { 0 }
        ))
        .await;
    }
    let state =
        "select string_agg(id || state || is_active || evidence_count, ' ' order by id) from pgmnemo.agent_lesson";
    let before = door.row(state).await;
    let cluster = "select canonical_id, member_ids, size, mean_similarity > 0.99 from pgmnemo.consolidate";
    assert_eq!(door.rows(&format!("{cluster}()")).await, ["1|{1,2,3}|3|t"], "of one project and one role");
    assert_eq!(door.row(state).await, before, "a dry run changes nothing");
    assert_eq!(door.rows(&format!("{cluster}(0.92, false, 'r')")).await, ["1|{1,2,3}|3|t"]);
    assert_eq!(
        door.rows("select id, state, is_active, evidence_count from pgmnemo.agent_lesson where id <= 3 order by id")
            .await,
        ["1|draft|t|3", "2|superseded|f|1", "3|superseded|f|1"]
    );
    assert_eq!(door.row("select count(*), count(metadata ->> 'prior_state') from pgmnemo.mem_edge where relation_type = 'SUPERSEDED_BY' and metadata @> '{\"consolidation\": true}'").await, "2|2");
    assert_eq!(door.rows("select canonical_id, member_ids from pgmnemo.undo_consolidate(1)").await, ["1|{2,3}"]);
    assert_eq!(door.rows("select size from pgmnemo.undo_consolidate(null, false)").await, ["2"]);
    assert_eq!(door.row(state).await, before);
    assert_eq!(door.rows("select * from pgmnemo.undo_consolidate(null, false)").await, [""; 0]);
    assert_eq!(door.row("select count(*) from heirloom.state_transition").await, "4");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stats_and_version_have_the_columns_of_pgmnemo_and_say_what_it_cannot() {
    let door = Door::open().await;
    lessons(&door, 3).await;
    door.run("set pgmnemo.gate_strict = 'off'; insert into pgmnemo.agent_lesson (role, topic, lesson_text, expires_at) values ('r', 'g', 'x', '2020-01-01Z')").await;
    assert_eq!(door.row("select pgmnemo.version()").await, "0.20.0");
    assert_eq!(
        door.row("select lesson_count, embedded_count, embedding_coverage_pct, tsv_coverage_pct, mem_edge_count, hybrid_enabled, ghost_count, confidence_mean, closed_count, expired_count, recallable_count from pgmnemo.stats()").await,
        "4|0|0|100|0|t|1|0.5|0|1|3"
    );
    door.run("delete from pgmnemo.agent_lesson").await;
    assert_eq!(
        door.row(
            "select lesson_count, embedding_coverage_pct, confidence_p50, oldest_lesson_age_days from pgmnemo.stats()"
        )
        .await,
        "0|0|0.5|0"
    );
    door.run("insert into pgmnemo.memory_ingest_log (source_origin, min_id, max_id) values ('mem.item', 1, 10); update pgmnemo.memory_ingest_log set retired_at = now()").await;
    assert_eq!(
        door.row("select id, source_origin, min_id, max_id, retired_at is not null from pgmnemo.memory_ingest_log")
            .await,
        "1|mem.item|1|10|t"
    );
    door.close().await;
}

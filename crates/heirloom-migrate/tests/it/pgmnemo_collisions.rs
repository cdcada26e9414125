//! The close-prior trigger of pgmnemo: what it would hide is predicted to the row, refused or spread, and never silent.

use heirloom_migrate::plan::Severity;
use heirloom_migrate::verify::Explanation;

use crate::pgmnemo_ground::{Beside, LEGACY, file};

/// Five versions of one lesson of project 1 and two of another, the newest of each among the first keys; a historical
/// one whose time was over before them.
const VERSIONS: &str = "
    update lesson set project = 1, author = 'dev', layer = 'ci', sha = 'v', made = timestamptz '2026-01-01' - id * interval '1 day'
     where id in (1, 9, 17, 25, 33);
    update lesson set project = 2, author = 'ops', layer = 'ci', sha = null, art = 'w', made = timestamptz '2026-01-01' + id * interval '1 day'
     where id in (2, 10);
";

fn spread() -> String {
    file("collisions = \"spread\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_would_hide_lessons_refuses_and_says_how_many() {
    let beside = Beside::new(LEGACY).await;
    beside.ground.sql(VERSIONS).await;
    beside
        .sql(
            "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, project_id, created_at)
             values ('ops', 'ci', 'theirs', 'w', 2, '2025-01-01'), ('dev', 'another', 'apart', 'v', 1, now())",
        )
        .await;
    let plan = beside.plan(&file(""), 8).await.unwrap();
    assert_eq!(plan.refusals.len(), 1);
    assert!(
        plan.refusals[0].starts_with("8 rows share role, topic and commit, 1 of them there already"),
        "{:?}",
        plan.refusals
    );
    let finding = plan.findings.iter().find(|finding| finding.id == "closed-by-target").unwrap();
    assert_eq!((finding.severity, finding.rows), (Severity::Danger, Some(8)));
    assert!(!plan.findings.iter().any(|finding| finding.id == "content-hash-collision"));
    assert!(beside.apply(&plan).await.is_err());
    assert_eq!(beside.one("select count(*) from pgmnemo.agent_lesson").await, "2");

    // Spread, as many are closed as predicted, and of each kind the newest stays open, in whatever order they came.
    for chunk_rows in [1, 50] {
        beside.sql("delete from pgmnemo.agent_lesson where doc_ref is not null; update pgmnemo.agent_lesson set t_valid_to = 'infinity'").await;
        beside.ground.sql("do $$ begin if to_regclass('heirloom_migrate.delivered') is not null then delete from heirloom_migrate.delivered; end if; end $$").await;
        let plan = beside.plan(&spread(), chunk_rows).await.unwrap();
        assert_eq!(plan.refusals, Vec::<String>::new());
        let predicted = plan.target.predicted.clone().unwrap();
        assert_eq!((predicted.colliding, predicted.closed, predicted.theirs, predicted.across), (8, 6, 1, 0));
        beside.apply(&plan).await.unwrap();
        let closed =
            "string_agg(coalesce(commit_sha, artifact_hash) || ' ' || coalesce(source_task_id::text, 'theirs'), ', '
                      order by source_task_id) from pgmnemo.agent_lesson where t_valid_to <> 'infinity'";
        let closed = beside.one(&format!("select {closed}")).await;
        assert_eq!(closed, "w 2, v 9, v 17, v 25, v 33, w theirs", "chunks of {chunk_rows}");
        let open = "string_agg(coalesce(commit_sha, artifact_hash) || ' ' || source_task_id, ', ' order by source_task_id) \
                    from pgmnemo.agent_lesson where role in ('dev', 'ops') and topic = 'ci' and t_valid_to = 'infinity'";
        assert_eq!(beside.one(&format!("select {open}")).await, "v 1, w 10", "chunks of {chunk_rows}");
        let found = beside.verify(&plan).await.unwrap();
        assert!(found.holds, "{:#?}", found.differences);
        assert_eq!(found.explained.get(&Explanation::Closed), Some(&5), "and one of theirs");
        assert_eq!(found.equal + found.explained.values().sum::<u64>(), 40);
        assert_eq!(beside.apply(&plan).await.unwrap().written, 0);
    }
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_statement_would_have_hidden_them_all() {
    let beside = Beside::new(LEGACY).await;
    beside
        .sql(
            "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha)
             select 'dev', 'ci', 'version ' || g, 'v' from generate_series(1, 5) g",
        )
        .await;
    let open = "select count(*) from pgmnemo.agent_lesson where t_valid_to = 'infinity'";
    assert_eq!(beside.one(open).await, "0", "the stand-in closes as pgmnemo does");
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lessons_of_another_project_are_never_closed() {
    let beside = Beside::new(LEGACY).await;
    beside.ground.sql("update lesson set author = 'dev', layer = 'ci', sha = 'v' where id in (1, 2)").await;
    let plan = beside.plan(&spread(), 8).await.unwrap();
    assert!(plan.refusals[0].starts_with("2 rows of several projects"), "{:?}", plan.refusals);
    // One of theirs is of another project too.
    beside.ground.sql("update lesson set sha = 'c' || id where id in (1, 2)").await;
    beside
        .sql(
            "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, project_id)
             values ('dev', 'ci', 'theirs', 'c1', 7)",
        )
        .await;
    let plan = beside.plan(&spread(), 8).await.unwrap();
    assert!(plan.refusals[0].starts_with("2 rows of several projects"), "{:?}", plan.refusals);
    // What the refusal says to do helps.
    let toml = spread()
        .replace("artifact_hash = \"art\"", "artifact_hash = { expr = \"md5(body)\" }")
        .replace("commit_sha = \"sha\"\n", "");
    let toml = toml.replace("[reject]", "[keep]\ndrop = { art = \"empty\", sha = \"shared by others\" }\n[reject]");
    beside.handed_down(&toml, 8).await;
    assert_eq!(beside.one("select count(*) from pgmnemo.agent_lesson where t_valid_to <> 'infinity'").await, "0");
    beside.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collision_that_came_into_being_since_is_set_aside() {
    let beside = Beside::new(LEGACY).await;
    let toml = file("").replace("budget = \"1\"", "budget = \"3\"");
    let plan = beside.plan(&toml, 8).await.unwrap();
    beside
        .sql(
            "insert into pgmnemo.agent_lesson (role, topic, lesson_text, commit_sha, project_id)
             select 'agent-1', 'layer', 'theirs ' || g, 'c' || g, 1 + g % 2 from unnest(array[1, 4]) g",
        )
        .await;
    let applied = beside.apply(&plan).await.unwrap();
    assert_eq!((applied.inserted, applied.rejected), (38, 3));
    assert_eq!(beside.one("select count(*) from pgmnemo.agent_lesson where t_valid_to <> 'infinity'").await, "0");
    let codes = "string_agg(code || ' ' || source_key, ', ' order by source_key) from heirloom_migrate.reject where code = 'would-hide'";
    assert_eq!(beside.ground.one(&format!("select {codes}")).await, "would-hide [\"1\"], would-hide [\"4\"]");
    let found = beside.verify(&plan).await.unwrap();
    assert!(found.holds, "{:#?}", found.differences);
    assert_eq!((found.rejected, found.live_rows), (3, 2));
    beside.close().await;
}

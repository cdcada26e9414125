//! What a guide for migrating `mem.mem_item` promises of the memories afterwards: whom recall shows them to, by words and
//! by vector, what is left out until asked for, when a memory ends, and how its state goes on. Through the binary.
//! The mapping itself, row by row of the guide's tables, is tested where it lives.

use serde_json::Value;

use crate::legacy::Legacy;

const FILE: &str = "name = \"agency\"\n[source]\nurl = \"store\"\npreset = \"pgmnemo-guide\"\n";

/// Lessons 1 to 12 of project 42 and one of project 7. Even ones are verified, 5 has ended, 6 ends by its retention,
/// 1 to 4 have a vector each, 3 of another width.
fn table() -> String {
    format!(
        "create extension if not exists vector; create schema mem; set search_path = mem, public; {}
         insert into mem_item (id, memory_text, layer, run_id, ttl_seconds, retention, verified, status, agent_role, project_id,
                priority, git_sha, embedding, created_at, updated_at)
         select g, 'Lesson ' || g || ': rotate JWT secrets within a day, see note' || g, 'security', 'nightly-' || g,
                case g when 5 then 60 end, case g when 6 then '100 years' end, g % 2 = 0,
                (array['active', 'golden', 'deleted'])[1 + g % 3], 'developer', case g when 13 then 7 else 42 end, g % 10 + 1,
                case when g % 4 = 0 then 'a3f9b12' end,
                case when g = 3 then array_fill(0.5::real, array[1536])::vector
                     when g <= 4 then (array_fill(0::real, array[g - 1]) || array[1::real] || array_fill(0::real, array[1024 - g]))::vector end,
                timestamptz '2024-01-01 00:00:00.000001+00' + g * interval '1 hour', timestamptz '2024-02-01'
           from generate_series(1, 13) g;
         reset search_path;",
        include_str!("../../src/demo/sql/mem_item.sql")
    )
}

async fn migrated() -> Legacy {
    let legacy = Legacy::new(&table()).await;
    legacy.write("agency.toml", FILE);
    legacy.ends(0, "plan agency.toml");
    let done = legacy.ends(0, "apply agency.plan.json --json").json();
    assert_eq!((&done["inserted"], &done["rejected"]), (&13.into(), &0.into()));
    legacy.ends(0, "verify agency.plan.json");
    legacy
}

/// Numbers of the lessons that recall gives, sorted.
fn recalled(legacy: &Legacy, words: &str) -> Vec<u32> {
    let found = legacy.ends(0, &format!("recall {words} --limit 50 --json")).json();
    let number = |hit: &Value| {
        let words = hit["content"].as_str().unwrap().split([' ', ':']).nth(1).unwrap();
        words.parse().unwrap()
    };
    let mut numbers: Vec<u32> = found["hits"].as_array().unwrap().iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn recall_by_words_needs_no_vector_and_leaves_out_ghosts_and_what_has_ended() {
    let legacy = migrated().await;
    // Verified, alive, neither archived (2, 5, 8, 11) nor past its time (5).
    assert_eq!(recalled(&legacy, "JWT --namespace project:42"), [4, 6, 10, 12]);
    let all = recalled(&legacy, "JWT --namespace project:42 --include-unverified");
    assert_eq!(all, [1, 3, 4, 6, 7, 9, 10, 12], "ghosts are shown when they are asked for; what has ended is not");
    let ran = legacy.ends(0, "recall JWT --namespace project:42");
    assert!(ran.stdout.contains("Left out: 4 unverified lessons"), "{ran}");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recall_by_vector_finds_the_nearest_of_the_store_s_width() {
    let legacy = migrated().await;
    let vector = |n: usize| {
        let elements: Vec<&str> = (1..=1024).map(|at| if at == n { "1" } else { "0" }).collect();
        format!("[{}]", elements.join(","))
    };
    let words =
        format!("recall --namespace project:42 --include-unverified --limit 1 --json --embedding {}", vector(4));
    let found = legacy.ends(0, &words).json();
    assert!(found["hits"][0]["content"].as_str().unwrap().starts_with("Lesson 4:"), "{found}");
    // A vector of another width is kept as it was, and its text is found by words.
    assert_eq!(legacy.one("select count(*) from heirloom.memory where embedding is not null").await, "3");
    let kept =
        "select length(source_row::json ->> 'embedding') > 1536 from heirloom.origin where source_key = '[\"3\"]'";
    assert_eq!(legacy.one(kept).await, "true");
    assert_eq!(recalled(&legacy, "note3 --namespace project:42 --include-unverified"), [3]);
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_sees_its_own_lessons_and_no_other_s() {
    let legacy = migrated().await;
    assert_eq!(recalled(&legacy, "JWT --namespace project:7 --include-unverified"), [13]);
    assert_eq!(recalled(&legacy, "note13 --namespace project:42 --include-unverified"), Vec::<u32>::new());
    assert_eq!(recalled(&legacy, "JWT --namespace project:8 --include-unverified"), Vec::<u32>::new());
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_the_source_s_and_an_end_counts_from_creation() {
    let legacy = migrated().await;
    let same = "select count(*) from mem.mem_item s join heirloom.origin o on o.source_key = '[\"' || s.id || '\"]'
        join heirloom.memory m on m.id = o.id and m.namespace = o.namespace
        where m.created_at = s.created_at and m.verified_at is not distinct from case when s.verified then s.created_at end
          and m.expires_at is not distinct from case s.id when 5 then s.created_at + interval '60 s'
              when 6 then s.created_at + interval '100 years' end";
    assert_eq!(legacy.one(same).await, "13");
    legacy.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_promoted_afterwards_and_verify_explains_it() {
    let legacy = migrated().await;
    let id = legacy.one("select id from heirloom.memory where content like 'Lesson 6:%'").await;
    assert_eq!(legacy.one(&format!("select state from heirloom.memory where id = '{id}'")).await, "candidate");
    legacy.ends(0, &format!("transition {id} validated --namespace project:42"));
    let proof = legacy.ends(0, "verify agency.plan.json --json").json();
    assert_eq!((&proof["holds"], &proof["equal"]), (&true.into(), &12.into()), "{proof}");
    let explained: u64 = proof["explained"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(explained, 1, "{proof}");
    legacy.close().await;
}

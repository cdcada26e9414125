//! The plan as a value: what it says of every column, value and row, and what refuses it.

use heirloom_migrate::MigrateError;
use heirloom_migrate::mapping::RejectCode;
use heirloom_migrate::plan::{Fate, Limits, Plan, report_text};
use heirloom_migrate::value::Value;

use crate::fake::{Case, case, text};

fn fate<'a>(plan: &'a Plan, column: &str) -> (Fate, Vec<&'a str>, u64) {
    let column = plan.columns.iter().find(|fate| fate.column == column).unwrap();
    (column.fate, column.to.iter().map(String::as_str).collect(), column.nulls)
}

#[tokio::test]
async fn every_column_has_a_fate() {
    let plan = case(3)
        .column("tags", "jsonb", vec![Value::Null, Value::Json("{}".into()), Value::Null])
        .column("noise", "text", vec![text("x"); 3])
        .map("metadata", "{ merge = [\"tags\"] }")
        .section("[keep]\ndrop = { noise = \"derived from content\" }")
        .plan()
        .await;
    assert_eq!(fate(&plan, "id"), (Fate::Mapped, vec!["id"], 0));
    assert_eq!(fate(&plan, "ws"), (Fate::Mapped, vec!["namespace"], 0));
    assert_eq!(fate(&plan, "tags"), (Fate::Mapped, vec!["metadata"], 2));
    assert_eq!(fate(&plan, "noise"), (Fate::Dropped, vec![], 0));
    assert_eq!(plan.columns.len(), 7);
    assert_eq!(plan.refusals, Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_column_refuses_the_plan() {
    let lossy = case(1).column("noise", "text", vec![text("x")]).section("[keep]\nrest = \"nowhere\"");
    match lossy.try_plan(Limits::default()).await {
        Ok(plan) => {
            assert_eq!(fate(&plan, "noise").0, Fate::Lost);
            assert_eq!(plan.refusals.len(), 1);
            assert!(plan.refusals[0].contains("Column noise would be lost"), "{:?}", plan.refusals);
        }
        // The word may be refused by the file itself; then nothing can be lost.
        Err(error) => assert!(matches!(error, MigrateError::File { .. }), "{error}"),
    }
}

#[tokio::test]
async fn rejects_above_the_budget_refuse_the_plan() {
    let empty = |budget: &str| {
        case(4)
            .column("content", "text", vec![text("   "), Value::Null, text("a"), text("b")])
            .section(&format!("[reject]\nbudget = \"{budget}\""))
    };
    let plan = empty("1").plan().await;
    assert_eq!((plan.counts.accepted, plan.counts.rejected), (2, 2));
    assert_eq!(plan.refusals.len(), 1);
    assert!(plan.refusals[0].starts_with("2 rows of 4 would be set aside"), "{:?}", plan.refusals);
    assert_eq!(empty("2").plan().await.refusals.len(), 0);
    assert_eq!(empty("50%").plan().await.refusals.len(), 0);
    assert_eq!(empty("49%").plan().await.refusals.len(), 1);
    assert!(plan.rejects.iter().all(|reject| reject.code == RejectCode::EmptyContent), "{:?}", plan.rejects);
    assert_eq!(plan.rejects[0].example_key, ["001"]);
}

#[tokio::test]
async fn every_distinct_value_is_listed_with_its_count() {
    let values = ["active", "Active", "pending", "active", "odd"];
    let mut column: Vec<Value> = values.iter().map(|value| text(value)).collect();
    column.push(Value::Null);
    let plan = case(6)
        .column("status", "text", column)
        .map(
            "state",
            "{ from = \"status\", values = { active = \"candidate\", pending = \"draft\" }, otherwise = \"archived\" }",
        )
        .plan()
        .await;
    let state = plan.enumerations.iter().find(|e| e.field == "state").unwrap();
    assert_eq!(state.values.iter().map(|value| value.count).sum::<u64>(), 6);
    let of = |value: Option<&str>| state.values.iter().find(|v| v.value.as_deref() == value).unwrap();
    assert_eq!((of(Some("active")).count, of(Some("active")).becomes.as_str()), (2, "candidate"));
    assert_eq!((of(Some("Active")).count, of(Some("Active")).becomes.as_str()), (1, "candidate"));
    assert_eq!((of(Some("odd")).count, of(Some("odd")).becomes.as_str()), (1, "archived"));
    assert_eq!(of(None).count, 1);
}

#[tokio::test]
async fn chunks_partition_all_rows() {
    let plan = case(25).try_plan(Limits { chunk_bytes: 450, chunk_rows: 10 }).await.unwrap();
    assert_eq!(plan.chunks.iter().map(|chunk| chunk.rows).sum::<u64>(), plan.counts.rows);
    assert_eq!(plan.chunks.iter().map(|chunk| chunk.bytes).sum::<u64>(), plan.counts.bytes);
    assert!(plan.chunks.iter().all(|chunk| chunk.bytes <= 450 && chunk.rows <= 10));
    let in_chunk = |key: &str, at: usize| {
        let range = &plan.chunks[at].range;
        range.after.as_ref().is_none_or(|after| after[0].as_str() < key)
            && range.upto.as_ref().is_none_or(|upto| key <= upto[0].as_str())
    };
    for key in (0..=26).map(|n| format!("{n:03}")) {
        let holders = (0..plan.chunks.len()).filter(|at| in_chunk(&key, *at)).count();
        assert_eq!(holders, 1, "key {key} lies in exactly one chunk, also outside what was read");
    }
}

#[tokio::test]
async fn a_source_without_a_key_is_told_what_could_serve() {
    let keyless = case(1);
    let toml = keyless.toml().replace("key = [\"id\"]\n", "");
    let file = heirloom_migrate::file::MigrationFile::parse("case.toml", &toml).unwrap();
    let error = heirloom_migrate::plan::draft(&file, &keyless, &keyless.target, crate::fake::now(), Limits::default())
        .await
        .unwrap_err();
    assert!(matches!(error, MigrateError::Source { .. }), "{error}");
    let shown = error.to_string();
    assert!(shown.contains("key = ") && shown.contains("id, ws, content"), "{shown}");
}

#[tokio::test]
async fn a_key_column_that_is_not_there_is_named_at_its_place() {
    let case = case(1);
    let toml = case.toml().replace("key = [\"id\"]", "key = [\"uid\"]");
    let file = heirloom_migrate::file::MigrationFile::parse("case.toml", &toml).unwrap();
    let error = heirloom_migrate::plan::draft(&file, &case, &case.target, crate::fake::now(), Limits::default())
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("case.toml:6:"), "{error}");
    assert!(error.to_string().contains("uid"), "{error}");
}

#[tokio::test]
async fn samples_show_an_ordinary_an_odd_and_a_rejected_row() {
    let plan = case(3)
        .column("content", "text", vec![text(&"long ".repeat(100)), text("odd"), text("")])
        .column(
            "created_at",
            "timestamptz",
            vec![crate::fake::moment("2026-05-01T00:00:00Z"), Value::Null, Value::Null],
        )
        .section("[reject]\nbudget = \"1\"")
        .plan()
        .await;
    let keys: Vec<&str> = plan.samples.iter().map(|sample| sample.key[0].as_str()).collect();
    assert_eq!(keys, ["001", "002", "003"]);
    assert!(plan.samples[0].before["content"].as_str().unwrap().contains("(500 characters)"));
    assert_eq!(plan.samples[0].after["namespace"], "workspace:w1");
    assert_eq!(plan.samples[2].after["rejected"], "empty-content");
}

#[tokio::test]
async fn the_drift_sum_says_whether_rows_changed() {
    let one = case(3).plan().await;
    let sum = |plan: &Plan, case: &Case| {
        let key = plan.drift_key().unwrap();
        let rows = case.rows();
        let mut sum = heirloom_migrate::digest::DigestSum::default();
        rows.iter().for_each(|row| heirloom_migrate::plan::drift::add(&mut sum, &key, row, &mut Vec::new()));
        sum
    };
    assert_eq!(sum(&one, &case(3)), one.drift);
    assert_ne!(sum(&one, &case(3).column("ws", "text", vec![text("w1"), text("w2"), text("w1")])), one.drift);
    assert_ne!(sum(&one, &case(4)), one.drift);
}

#[tokio::test]
async fn a_plan_survives_the_disk_and_an_edit_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = Plan::path_for(&dir.path().join("notes.toml"));
    let plan = case(3).plan().await;
    plan.write(&path).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no half file is left");
    assert_eq!(Plan::read(&path).unwrap(), plan);
    plan.check_digest().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "samples hold content: the plan is its owner's");
    }

    let sealed = std::fs::read_to_string(&path).unwrap();
    let refused = |edited: &str, says: &str| {
        std::fs::write(&path, edited).unwrap();
        let error = Plan::read(&path).unwrap_err();
        assert!(matches!(error, MigrateError::Plan { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    };
    refused(&sealed.replace("\"rows\": 3", "\"rows\": 4"), "digest does not match");
    refused(&sealed.replacen("workspace:{ws}", "workspace:all", 1), "digest does not match");
    refused(&sealed.replacen("\"format\": 1", "\"format\": 2", 1), "form 2");
    refused(&sealed.replacen('{', "{\"extra\": 1,", 1), "did not write");
    refused(&sealed[..sealed.len() / 2], "not JSON");
    refused("{\"a\": 1}", "no plan");
    refused("name = \"notes\"", "not JSON");
    // White space is no edit.
    std::fs::write(&path, sealed.replace("\n  ", "\n")).unwrap();
    assert_eq!(Plan::read(&path).unwrap(), plan);
    assert!(matches!(Plan::read(&dir.path().join("none.plan.json")), Err(MigrateError::Io { .. })));
}

#[tokio::test]
async fn the_report_is_a_page_without_content() {
    let plan = case(4)
        .column(
            "content",
            "text",
            vec![text("PRIVATE DIARY one"), text("PRIVATE DIARY two"), text(""), text("PRIVATE DIARY")],
        )
        .column("scope", "text", vec![text("LOCAL"), text("TEAM\u{1b}[31m"), text("LOCAL"), Value::Null])
        .plan()
        .await;
    let page = report_text(&plan, 100);
    assert!(!page.contains("DIARY"), "{page}");
    assert!(!page.contains('\u{1b}') && page.is_ascii(), "{page}");
    for part in [
        "Plan case: public.notes -> a new store (4 dimensions)",
        "Columns",
        "scope-flattened",
        "empty-content",
        "Set aside",
        "This plan cannot be applied",
    ] {
        assert!(page.contains(part), "{part} is missing from\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 120), "{page}");
    assert!(page.rfind("This plan cannot").unwrap() > page.rfind("Findings").unwrap(), "refusals come last");
}

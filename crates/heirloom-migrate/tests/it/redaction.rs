//! `redact` in a migration file: rows with credentials reported, cleaned on the way, or left alone.

use heirloom_migrate::plan::{Plan, Severity, report_text};

use crate::support::{Ground, said};

const LEGACY: &str = "create table notes (id bigint primary key, ws text, body text, note json, tags text[]);
    insert into notes values
        (1, 'a', 'the key is sk-abcdefghijklmnop1234', '{\"password\": \"hunter2\", \"n\": 1.50}', null),
        (2, 'a', 'all quiet', null, array['ghp_abcdefghijklmnop1234', 'x']),
        (3, 'a', 'nothing here', '{\"n\":   2}', null),
        (4, null, 'set aside, and sk-abcdefghijklmnop9999 with it', null, null)";

fn file(redact: &str) -> String {
    format!(
        "name = \"notes\"\n{redact}\n[source]\nurl = \"store\"\ntable = \"notes\"\n[namespace]\ntemplate = \"workspace:{{ws}}\"\n\
         [map]\ncontent = \"body\"\nkind = {{ value = \"fact\" }}\nmetadata = \"note\"\n[reject]\nbudget = \"1\"\n"
    )
}

fn finding(plan: &Plan) -> Option<(Severity, Option<u64>, &str)> {
    let found = plan.findings.iter().find(|finding| finding.id == "secret-in-clear")?;
    Some((found.severity, found.rows, &found.what))
}

const KEPT: &str = "select count(*) from (
    select m::text as t from heirloom.memory m
    union all select o::text from heirloom.origin o
    union all select r::text from heirloom_migrate.reject r
    union all select u::text from heirloom_migrate.run u) x
    where t ~ 'abcdefghijklmnop|hunter2'";

#[tokio::test(flavor = "multi_thread")]
async fn apply_takes_credentials_out_of_memory_origin_and_rejects_and_verify_agrees() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(&file("redact = \"apply\""), 2).await.unwrap();
    let (severity, rows, what) = finding(&plan).unwrap();
    assert_eq!((severity, rows), (Severity::Note, Some(3)));
    assert!(what.contains("SK_TOKEN (2)") && what.contains("PASSWORD (1)") && what.contains("byte for byte"), "{what}");
    assert!(!report_text(&plan, 80).contains("abcdefghijklmnop"));
    ground.apply(&plan).await.unwrap();
    assert_eq!(
        ground.one("select string_agg(content, '|' order by content) from heirloom.memory").await,
        "all quiet|nothing here|the key is [REDACTED:SK_TOKEN]"
    );
    assert_eq!(
        ground.one("select metadata from heirloom.memory where content like 'the key%'").await,
        "{\"n\": 1.50, \"password\": \"[REDACTED:PASSWORD]\"}"
    );
    assert_eq!(ground.one(KEPT).await, "0");
    assert!(
        ground
            .one("select source_row from heirloom.origin where source_key like '%2%'")
            .await
            .contains("[REDACTED:GITHUB_PAT]")
    );
    let verified = ground.verify(&plan).await.unwrap();
    assert!(verified.holds, "{verified:?}");

    // Again: the same rows, nothing written.
    let before = ground.one("select md5(string_agg(m::text, ',' order by id)) from heirloom.memory m").await;
    let again = ground.plan(&file("redact = \"apply\""), 2).await.unwrap();
    ground.apply(&again).await.unwrap();
    assert_eq!(ground.one("select md5(string_agg(m::text, ',' order by id)) from heirloom.memory m").await, before);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn report_counts_by_label_and_moves_rows_as_they_are() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(&file(""), 10).await.unwrap();
    let (severity, rows, _) = finding(&plan).unwrap();
    assert_eq!((severity, rows), (Severity::Danger, Some(3)));
    ground.apply(&plan).await.unwrap();
    assert_eq!(
        ground.one("select content from heirloom.memory where content like 'the key%'").await,
        "the key is sk-abcdefghijklmnop1234"
    );
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn off_looks_at_nothing_and_each_setting_is_a_plan_of_its_own() {
    let ground = Ground::new(LEGACY).await;
    let mut digests = Vec::new();
    for setting in ["redact = \"off\"", "redact = \"report\"", "redact = \"apply\""] {
        let plan = ground.plan(&file(setting), 10).await.unwrap();
        assert_eq!(finding(&plan).is_none(), setting.contains("off"), "{setting}");
        digests.push((plan.digest, plan.file.digest));
    }
    digests.sort();
    digests.dedup_by_key(|(_, file)| file.clone());
    assert_eq!(digests.len(), 3);
    let error = said(ground.plan(&file("redact = \"maybe\""), 10).await);
    assert!(error.contains("maybe") && error.contains("apply") && error.contains("off"), "{error}");
    ground.close().await;
}

//! The target alone, against what was recorded when it was written.

use heirloom_migrate::verify::{self, Class, Explanation, RecordedCheck};
use heirloom_migrate::{Result, plan::Plan};
use heirloom_store::{Forget, Revise, Scope};

use crate::support::Ground;
use crate::verify_ground::handed_down;

async fn recorded(ground: &Ground, plan: &Plan) -> Result<RecordedCheck> {
    verify::recorded(plan, &ground.store, &mut |_, _| {}).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_is_not_needed_to_see_what_was_done_to_the_target() {
    let (ground, plan) = handed_down().await;
    ground.sql("alter table legacy.note rename to gone").await;
    let whole = recorded(&ground, &plan).await.unwrap();
    assert!(whole.holds, "{:#?}", whole.differences);
    assert_eq!((whole.recorded, whole.equal, whole.unrecorded), (40, 40, 0));
    assert_eq!(recorded(&ground, &plan).await.unwrap().merkle_root, whole.merkle_root, "the same rows, the same root");
    for (damage, class) in [
        ("update heirloom.memory set content = content || ' ' where id = :id", Class::Altered),
        ("update heirloom.memory set embedding = '[1,0,0.10000001,0]' where id = :id", Class::Altered),
        ("update heirloom.memory set namespace = 'custom:thief' where id = :id", Class::WrongTenant),
        ("delete from heirloom.memory where id = :id", Class::Missing),
        (
            "insert into heirloom.memory (id, namespace, kind, content) select id, 'custom:thief', kind, content from heirloom.memory where id = :id",
            Class::Unexpected,
        ),
    ] {
        ground.damage(damage).await;
        let found = recorded(&ground, &plan).await.unwrap();
        assert_eq!((found.difference_count, found.holds), (1, false), "{damage}");
        assert_eq!(
            (found.differences[0].class, found.differences[0].key.as_slice()),
            (class, ["10".to_owned()].as_slice()),
            "{damage}"
        );
        assert_ne!(found.merkle_root, whole.merkle_root, "{damage}");
        ground.mend().await;
    }
    // With its record gone as well, only the ledger's count tells.
    ground.damage("delete from heirloom.memory where id = :id; delete from heirloom.origin where id = :id").await;
    ground.damage("delete from heirloom.origin where source_key = '[\"10\"]'").await;
    let found = recorded(&ground, &plan).await.unwrap();
    assert_eq!((found.unrecorded, found.difference_count, found.holds), (1, 1, false));
    ground.damage("delete from heirloom.origin").await;
    assert!(recorded(&ground, &plan).await.unwrap_err().to_string().contains("nothing was proven"));
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_s_own_records_explain_is_no_difference() {
    let (ground, plan) = handed_down().await;
    let id = |row: u32| format!("select id from heirloom.origin where source_key = '[\"{row}\"]'");
    let (edited, gone) = (ground.one(&id(4)).await, ground.one(&id(5)).await);
    let scope = Scope::new(["custom:agent-0", "custom:agent-1", "custom:agent-2"]).unwrap();
    let revise: Revise = serde_json::from_value(serde_json::json!({ "id": edited, "content": "better" })).unwrap();
    ground.store.revise(&scope, &revise).await.unwrap();
    let forget: Forget = serde_json::from_value(serde_json::json!({ "id": gone })).unwrap();
    ground.store.forget(&scope, &forget).await.unwrap();
    let found = recorded(&ground, &plan).await.unwrap();
    assert!(found.holds, "{:#?}", found.differences);
    assert_eq!(found.explained.get(&Explanation::Edited), Some(&1));
    assert_eq!(found.explained.get(&Explanation::Forgotten), Some(&1));
    ground.close().await;
}

//! What a migration leaves in the store's activity: a line a step, named by the one namespace it goes to or by none.

use crate::leases::{FILE, LEGACY};
use crate::support::Ground;

const STEPS: &str = "select string_agg(details ->> 'step' || ' ' || coalesce(namespace, '-'), ', ' order by id) \
    from heirloom.activity where action = 'migrate'";

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_a_line_of_the_namespace_it_concerns() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(&FILE.replace("custom:{author}", "custom:all"), 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    assert_eq!(ground.one(STEPS).await, "planned custom:all, applying custom:all, applied custom:all");
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_namespaces_none_is_named() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 20).await.unwrap();
    ground.apply(&plan).await.unwrap();
    assert_eq!(ground.one(STEPS).await, "planned -, applying -, applied -");
    // Nothing to do is no step.
    ground.apply(&plan).await.unwrap();
    assert_eq!(ground.one("select count(*) from heirloom.activity where action = 'migrate'").await, "3");
    ground.close().await;
}

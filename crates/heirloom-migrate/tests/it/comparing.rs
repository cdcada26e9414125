//! Whoever looks at a run hears how far its comparison is, and hears nothing once it is over, however it ended.

use heirloom_migrate::ledger::{self, Comparing};

use crate::leases::{FILE, LEGACY};
use crate::support::Ground;

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_is_heard_while_it_goes_on_and_no_longer() {
    let ground = Ground::new(LEGACY).await;
    let plan = ground.plan(FILE, 5).await.unwrap();
    ground.apply(&plan).await.unwrap();
    let database = ground.db.database();
    let heard = async |wanted: Option<u64>| {
        let coming = async {
            loop {
                let client = database.client().await.unwrap();
                if ledger::live(&client, plan.run_id).await.unwrap().comparing == wanted {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), coming).await.unwrap_or_else(|_| panic!("{wanted:?}"));
    };
    heard(None).await;
    let told = Comparing::begin(database, plan.run_id).await;
    // The embedded engine has no second connection on which to say it.
    let said = |rows| (!database.is_embedded()).then_some(rows);
    heard(said(0)).await;
    for rows in [5, 55, 99_999_999_999_999] {
        told.say(rows);
        heard(said(rows)).await;
    }
    // Two at once: the one that is farthest; and the one that stays.
    let other = Comparing::begin(database, plan.run_id).await;
    other.say(3);
    heard(said(99_999_999_999_999)).await;
    drop(told);
    heard(said(3)).await;
    drop(other);
    heard(None).await;
    assert!(ground.verify(&plan).await.unwrap().holds);
    ground.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_comparison_of_this_run_is_heard() {
    let ground = Ground::new(LEGACY).await;
    let run = uuid::Uuid::new_v4();
    let client = ground.db.database().client().await.unwrap();
    let named = async |name: String| {
        client.query_one("select set_config('application_name', $1, false)", &[&name]).await.unwrap();
        ledger::comparing(&client, run).await.unwrap()
    };
    let of = |run: uuid::Uuid, rest: &str| format!("heirloom verify {} {rest}", run.simple());
    assert_eq!(named(of(run, "42")).await, Some(42));
    for other in [
        of(uuid::Uuid::new_v4(), "42"),
        of(run, ""),
        of(run, "-1"),
        of(run, "4 2"),
        of(run, "42; drop"),
        format!("{run} 42"),
        "heirloom".to_owned(),
        String::new(),
    ] {
        assert_eq!(named(other.clone()).await, None, "{other}");
    }
    drop(client);
    ground.close().await;
}

//! A write with a key is done once and answered the same for a day.

use heirloom_store::{Idempotent, StoreError};
use serde_json::json;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::installed;
use crate::world::{behind, number};

const ONE: [u8; 32] = [1; 32];
const TWO: [u8; 32] = [2; 32];

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_fresh_then_busy_then_answered_again() {
    let (test, store) = installed().await;
    let (me, you) = (Uuid::from_u128(1), Uuid::nil());
    let answer = json!({"id": Uuid::from_u128(9), "created": true});
    assert_eq!(store.idempotent_begin(me, "k", &ONE).await.unwrap(), Idempotent::Fresh);
    assert_eq!(store.idempotent_begin(me, "k", &ONE).await.unwrap(), Idempotent::InProgress);
    assert_eq!(store.idempotent_begin(me, "k", &TWO).await.unwrap(), Idempotent::Mismatch);
    assert_eq!(store.idempotent_begin(you, "k", &TWO).await.unwrap(), Idempotent::Fresh, "another caller's key");
    assert!(!store.idempotent_finish(me, "k", &TWO, Some((200, &answer))).await.unwrap(), "not its claim");
    assert!(store.idempotent_finish(me, "k", &ONE, Some((201, &answer))).await.unwrap());
    for _ in 0..2 {
        let again = store.idempotent_begin(me, "k", &ONE).await.unwrap();
        assert_eq!(again, Idempotent::Replay { status: 201, response: answer.clone() });
    }
    assert_eq!(store.idempotent_begin(me, "k", &TWO).await.unwrap(), Idempotent::Mismatch);
    assert!(!store.idempotent_finish(me, "k", &ONE, None).await.unwrap(), "what was answered stays");
    // What failed gives its claim back.
    assert!(store.idempotent_finish(you, "k", &TWO, None).await.unwrap());
    assert_eq!(store.idempotent_begin(you, "k", &ONE).await.unwrap(), Idempotent::Fresh);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_is_fresh() {
    let (test, store) = installed().await;
    let tries = (0..8).map(|_| store.idempotent_begin(Uuid::nil(), "k", &ONE));
    let found = futures_util::future::join_all(tries).await;
    let fresh = found.iter().filter(|found| matches!(found, Ok(Idempotent::Fresh))).count();
    assert!(fresh == 1 && found.iter().all(Result::is_ok), "{found:?}");
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_later_and_after_a_crash_the_key_is_free() {
    let (test, store) = installed().await;
    let me = Uuid::nil();
    store.idempotent_begin(me, "died", &ONE).await.unwrap();
    store.idempotent_begin(me, "old", &ONE).await.unwrap();
    store.idempotent_finish(me, "old", &ONE, Some((200, &json!({})))).await.unwrap();
    behind(&store, "update heirloom.idempotency set at = at - interval '3 minutes'").await;
    assert_eq!(store.idempotent_begin(me, "died", &TWO).await.unwrap(), Idempotent::Mismatch);
    assert_eq!(store.idempotent_begin(me, "died", &ONE).await.unwrap(), Idempotent::Fresh);
    assert!(matches!(store.idempotent_begin(me, "old", &ONE).await.unwrap(), Idempotent::Replay { .. }));
    behind(&store, "update heirloom.idempotency set at = at - interval '25 hours'").await;
    assert_eq!(store.idempotent_begin(me, "old", &TWO).await.unwrap(), Idempotent::Fresh);
    assert_eq!(store.upkeep(None).await.unwrap().answers_forgotten, 1);
    assert_eq!(number(&store, "select count(*) from heirloom.idempotency").await, 1);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_keys_and_large_answers_are_refused_and_no_session_reads_them() {
    let (test, store) = installed().await;
    let long = "k".repeat(256);
    for bad in ["", " ", "a\0", "a\nb", long.as_str()] {
        let refused = store.idempotent_begin(Uuid::nil(), bad, &ONE).await;
        assert!(matches!(refused, Err(StoreError::Invalid { field: "idempotency_key", .. })), "{bad:?}");
    }
    store.idempotent_begin(Uuid::nil(), "k", &ONE).await.unwrap();
    let large = json!("x".repeat(64 * 1024));
    let refused = store.idempotent_finish(Uuid::nil(), "k", &ONE, Some((200, &large))).await;
    assert!(matches!(refused, Err(StoreError::Invalid { field: "response", .. })));
    let mut client = store.database().client().await.unwrap();
    for role in ["heirloom_serve", "heirloom_audit", "heirloom_service"] {
        let tx = client.transaction().await.unwrap();
        tx.batch_execute(&format!("set local role {role}")).await.unwrap();
        let error = tx.query("select * from heirloom.idempotency", &[]).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    }
    client.batch_execute("insert into heirloom.bound_role values (session_user, '{team:a}')").await.unwrap();
    drop(client);
    assert!(store.idempotent_begin(Uuid::nil(), "k", &ONE).await.is_err(), "a bound login has no business here");
    test.close().await;
}

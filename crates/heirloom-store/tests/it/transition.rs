//! The nineteen steps, every one of them and none besides.

use heirloom_store::{Remember, STATES, Show, StoreError, TRANSITIONS, Transition};
use uuid::Uuid;

use crate::installed;
use crate::world::{fact, ids, lesson, number, remembered, scope, words};

#[tokio::test(flavor = "multi_thread")]
async fn every_pair_of_states_is_allowed_or_refused_as_the_table_says() {
    let (test, store) = installed().await;
    let team = scope("team:a").by("ana").unwrap();
    for from in STATES {
        for to in STATES {
            let id = remembered(&store, &Remember { state: Some(from.to_owned()), ..fact("team:a", "x") }).await;
            let step = Transition { id, to: to.to_owned(), reason: Some("why".to_owned()), ..Transition::default() };
            let done = store.transition(&team, &step).await;
            let shown = store.show(&team, &Show { id, namespace: None }).await.unwrap();
            if TRANSITIONS.contains(&(from, to)) {
                let done = done.unwrap();
                assert_eq!((done.from.as_str(), done.to.as_str()), (from, to));
                assert_eq!((shown.memory.state.as_str(), shown.memory.state_changed_at), (to, Some(done.at)));
                let [kept] = shown.transitions.as_slice() else { panic!("{from} → {to}: {:?}", shown.transitions) };
                assert_eq!((kept.from.as_str(), kept.to.as_str(), kept.actor.as_str()), (from, to, "ana"));
                assert_eq!(kept.reason.as_deref(), Some("why"));
            } else {
                assert!(matches!(done, Err(StoreError::Conflict(_))), "{from} → {to}: {done:?}");
                assert_eq!((shown.memory.state.as_str(), shown.transitions.len()), (from, 0));
            }
        }
    }
    assert_eq!(number(&store, "select count(*) from heirloom.activity where action = 'transition'").await, 19);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ghost_somebody_vouches_for_is_recalled() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let id = remembered(&store, &lesson("team:a", "xyzzy", None)).await;
    let step = |to: &str, verify| Transition { id, to: to.to_owned(), verify, ..Transition::default() };
    assert!(matches!(
        store.transition(&team, &step("candidate", true)).await,
        Err(StoreError::Invalid { field: "verify", .. })
    ));
    assert_eq!(store.recall(&team, &words("xyzzy")).await.unwrap().ghosts_left_out, 1);
    store.transition(&team, &step("validated", true)).await.unwrap();
    let found = store.recall(&team, &words("xyzzy")).await.unwrap();
    assert_eq!((ids(&found), found.ghosts_left_out), (vec![id], 0));

    assert!(matches!(
        store.transition(&team, &step("Draft", false)).await,
        Err(StoreError::Invalid { field: "to", .. })
    ));
    let nobody = Transition { id: Uuid::from_u128(404), to: "draft".to_owned(), ..Transition::default() };
    assert!(matches!(store.transition(&team, &nobody).await, Err(StoreError::NotFound { .. })));
    test.close().await;
}

//! Who may serve: a login that is no more than the serving role, and nobody whom row-level security does not hold.

use heirloom_store::{StoreError, schema};
use tokio_postgres::NoTls;

use crate::installed;
use crate::world::behind;

/// What is said to a login: `Ok` where it may serve.
async fn asked_as(url: &str, login: &str) -> Result<(), StoreError> {
    let mut config: tokio_postgres::Config = url.parse().unwrap();
    let (client, connection) = config.user(login).connect(NoTls).await.unwrap();
    let driven = tokio::spawn(connection);
    let said = schema::check_serving(&client).await;
    drop(client);
    driven.await.unwrap().unwrap();
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_no_policy_holds_is_refused_by_name_and_told_what_to_do() {
    let (test, store) = installed().await;
    assert!(matches!(store.check_serving().await, Err(StoreError::MayNotServe(_))), "the test connects as a superuser");
    // The embedded engine has one user and no logins.
    let Some(url) = test.url() else { return test.close().await };
    // Roles belong to the cluster: their names are this run's own.
    let us = format!("x{}", uuid::Uuid::new_v4().simple());
    let owner = store.database().client().await.unwrap().query_one("select current_user::text", &[]).await.unwrap();
    let owner: String = owner.get(0);
    for (name, made, fault) in [
        ("super", "alter role $ superuser", "is a superuser"),
        ("bypass", "alter role $ bypassrls; grant heirloom_serve to $", "has BYPASSRLS"),
        (
            "near",
            "create role $far bypassrls; grant $far, heirloom_serve to $",
            "is a member of $far, which is a superuser or has BYPASSRLS",
        ),
        ("owner", "grant heirloom_serve to $; alter table heirloom.memory owner to $", "owns the store"),
        (
            "heir",
            "create role $far; grant $far, heirloom_serve to $; alter schema heirloom owner to $far",
            "is a member of $far, which owns the store",
        ),
        ("nobody", "", "is no member of heirloom_serve"),
        ("audit", "grant heirloom_audit to $", "is no member of heirloom_serve"),
        ("app", "grant heirloom_serve, heirloom_audit to $", ""),
    ] {
        let login = format!("{us}_{name}");
        behind(&store, &format!("create role {login} login; {}", made.replace('$', &login))).await;
        let said = asked_as(url, &login).await;
        behind(
            &store,
            &format!(
                "alter table heirloom.memory owner to {owner}; alter schema heirloom owner to {owner}; \
                 drop role if exists {login}far; drop role {login}"
            ),
        )
        .await;
        if fault.is_empty() {
            said.unwrap();
            continue;
        }
        let refused = said.unwrap_err();
        assert!(matches!(refused, StoreError::MayNotServe(_)), "{name}: {refused:?}");
        let said = refused.to_string();
        let fault = fault.replace('$', &login);
        assert!(said.contains(&format!("The database user {login} may not serve tenants: it {fault}")), "{said}");
        assert!(said.contains("grant heirloom_serve, heirloom_audit to heirloom_app"), "{said}");
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superuser_who_serves_without_a_namespace_learns_nothing() {
    let (test, store) = installed().await;
    let client = store.database().client().await.unwrap();
    client
        .batch_execute(
            "insert into heirloom.memory (namespace, kind, content) values ('team:b', 'fact', 'an apple');
             set role heirloom_serve",
        )
        .await
        .unwrap();
    let asked = "select heirloom.may_see('team:b'), heirloom.word_candidates('appl'::tsquery, 'team:b', 8000, now(), false, null, null, null, null, null) is not null";
    let row = client.query_one(asked, &[]).await.unwrap();
    assert_eq!((row.get::<_, bool>(0), row.get::<_, bool>(1)), (false, false));
    client.batch_execute("reset role; set role heirloom_service").await.unwrap();
    let row = client.query_one(asked, &[]).await.unwrap();
    assert_eq!(
        (row.get::<_, bool>(0), row.get::<_, bool>(1)),
        (true, true),
        "the service role sees what it is there for"
    );
    client.batch_execute("reset role").await.unwrap();
    drop(client);
    test.close().await;
}

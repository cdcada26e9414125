//! Tokens: a secret is shown once, kept nowhere, and ends when it is told to.

use heirloom_store::{NewToken, Right, StoreError};
use tokio_postgres::error::SqlState;

use crate::installed;
use crate::world::{behind, number};

fn new(name: &str, rights: Right, namespaces: &[&str]) -> NewToken {
    NewToken {
        name: name.to_owned(),
        namespaces: namespaces.iter().map(|&name| name.to_owned()).collect(),
        rights,
        rate_per_minute: None,
        expires_at: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_opens_until_it_is_revoked() {
    let (test, store) = installed().await;
    let wanted = NewToken { rate_per_minute: Some(60), ..new("ci", Right::Write, &["team:b", "team:a.*", "team:b"]) };
    let made = store.create_token(&wanted).await.unwrap();
    for _ in 0..3 {
        let token = store.authenticate(&made.secret).await.unwrap().unwrap();
        assert_eq!((token.id, token.name.as_str(), token.rights), (made.id, "ci", Right::Write));
        assert_eq!((token.namespaces.join(" ").as_str(), token.rate_per_minute), ("team:a.* team:b", Some(60)));
        assert!(token.allows("team:b") && token.allows("team:a.x") && !token.allows("team:ab"));
    }
    let mut other = made.secret.clone();
    let last = if other.pop() == Some('A') { 'B' } else { 'A' };
    other.push(last);
    for wrong in
        [other.as_str(), "", "hl_", &made.secret[3..], &made.secret.to_uppercase(), "hl_\0", &"x".repeat(1 << 20)]
    {
        assert!(store.authenticate(wrong).await.unwrap().is_none());
    }
    let other = store.create_token(&new("other", Right::Read, &["*"])).await.unwrap();
    let revoked = store.revoke_token("ci").await.unwrap();
    assert!(revoked.revoked_at.is_some() && revoked.id == made.id);
    assert!(store.authenticate(&made.secret).await.unwrap().is_none());
    assert!(store.authenticate(&other.secret).await.unwrap().is_some());
    for gone in ["ci", &made.id.to_string(), "nobody", "a\nb"] {
        assert!(matches!(store.revoke_token(gone).await, Err(StoreError::NotFound { what: "token", .. })), "{gone}");
    }
    // The name is free again; by id works, too.
    let again = store.create_token(&wanted).await.unwrap();
    store.revoke_token(&again.id.to_string().to_uppercase()).await.unwrap();
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_opens_nothing() {
    let (test, store) = installed().await;
    let past = NewToken { expires_at: Some("2001-01-01T00:00:00Z".parse().unwrap()), ..new("t", Right::Admin, &[]) };
    let made = store.create_token(&past).await.unwrap();
    assert!(store.authenticate(&made.secret).await.unwrap().is_none());
    behind(&store, "update heirloom.token set expires_at = now() + interval '1 hour'").await;
    let token = store.authenticate(&made.secret).await.unwrap().unwrap();
    assert!(token.allows("team:any") && token.may(Right::Admin) && token.namespaces == ["*"]);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_a_token_could_be_guessed_from_is_kept_or_listed() {
    let (test, store) = installed().await;
    let made = store.create_token(&new("secretive", Right::Read, &["team:a"])).await.unwrap();
    let listed = store.list_tokens().await.unwrap();
    assert_eq!(listed.len(), 1);
    let shown = format!("{listed:?} {}", serde_json::to_string(&listed).unwrap());
    assert!(!shown.contains(&made.secret) && !shown.contains("sha256"));
    let (body, client) = (&made.secret[3..], store.database().client().await.unwrap());
    let kept: i64 = client
        .query_one(
            "select (select count(*) from heirloom.token t where t::text like '%' || $1 || '%') \
             + (select count(*) from heirloom.activity a where a::text like '%' || $1 || '%')",
            &[&body],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(kept, 0);
    let digests: i64 = client
        .query_one("select count(*) from heirloom.token where sha256 = sha256(convert_to($1, 'UTF8'))", &[&made.secret])
        .await
        .unwrap()
        .get(0);
    assert_eq!(digests, 1);
    drop(client);
    store.revoke_token("secretive").await.unwrap();
    for (action, lines) in [("token_create", 1), ("token_list", 1), ("token_revoke", 1)] {
        let count = format!("select count(*) from heirloom.activity where action = '{action}' and namespace is null");
        assert_eq!(number(&store, &count).await, lines, "{action}");
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_is_refused_and_two_of_one_name_are() {
    let (test, store) = installed().await;
    let cases = [
        ("name", new(" ", Right::Read, &["team:a"])),
        ("name", new("a\0", Right::Read, &["team:a"])),
        ("namespaces", new("t", Right::Read, &[])),
        ("namespaces", new("t", Right::Read, &["team"])),
        ("namespaces", new("t", Right::Read, &["*:a"])),
        ("rate_per_minute", NewToken { rate_per_minute: Some(0), ..new("t", Right::Read, &["*"]) }),
    ];
    for (wanted, token) in cases {
        match store.create_token(&token).await {
            Err(StoreError::Invalid { field, .. }) => assert_eq!(field, wanted),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    assert_eq!(number(&store, "select count(*) from heirloom.activity").await, 0);
    let one = new("twice", Right::Read, &["*"]);
    let (first, second) = tokio::join!(store.create_token(&one), store.create_token(&one));
    assert_eq!([first.is_ok(), second.is_ok()].iter().filter(|made| **made).count(), 1);
    for refused in [first, second].into_iter().filter_map(Result::err) {
        assert!(matches!(refused, StoreError::Conflict(_)), "{refused:?}");
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_session_reads_and_changes_no_token() {
    let (test, store) = installed().await;
    store.create_token(&new("t", Right::Admin, &[])).await.unwrap();
    let mut client = store.database().client().await.unwrap();
    for role in ["heirloom_serve", "heirloom_audit", "heirloom_service"] {
        for statement in [
            "select * from heirloom.token",
            "insert into heirloom.token (name, sha256, namespaces, rights) values ('x', sha256(''), '{*}', 'admin')",
            "update heirloom.token set rights = 'admin'",
            "delete from heirloom.token",
            "insert into heirloom.workspace (id, name, status) values ('x', 'x', 'x')",
            "update heirloom.workspace set parent_id = null",
        ] {
            let tx = client.transaction().await.unwrap();
            tx.batch_execute(&format!("set local role {role}")).await.unwrap();
            let error = tx.execute(statement, &[]).await.unwrap_err();
            assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{role}: {statement}");
        }
        // Even where somebody granted it by mistake, row-level security shows nothing.
        client.batch_execute(&format!("grant select on heirloom.token to {role}")).await.unwrap();
        let tx = client.transaction().await.unwrap();
        tx.batch_execute(&format!("set local role {role}")).await.unwrap();
        assert_eq!(tx.query("select * from heirloom.token", &[]).await.unwrap().len(), 0);
        drop(tx);
        client.batch_execute(&format!("revoke select on heirloom.token from {role}")).await.unwrap();
    }
    drop(client);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_given_up_half_way_leaves_a_clean_connection() {
    let (test, store) = installed().await;
    let made = store.create_token(&new("t", Right::Read, &["*"])).await.unwrap();
    // The first question of a connection has to prepare its statement; here it is dropped while it waits.
    for _ in 0..2 * store.database().pool_size() {
        let question = store.authenticate(&made.secret);
        tokio::select! {
            biased;
            _ = question => {}
            () = std::future::ready(()) => {}
        }
        let client = store.database().client().await.unwrap();
        let row = client
            .query_one("select current_user = session_user, pg_current_xact_id_if_assigned() is null", &[])
            .await
            .unwrap();
        assert!(row.get::<_, bool>(0) && row.get::<_, bool>(1));
        drop(client);
        assert!(store.authenticate(&made.secret).await.unwrap().is_some());
    }
    test.close().await;
}

//! What recall shows: every state, every edge of expiry and validity, active or not, verified or not, one row each.

use heirloom_store::{Recall, STATES};

use crate::installed;
use crate::world::{behind, scope, words};

/// A row and whether recall shows it without asking for ghosts, and when asked.
struct Case {
    name: String,
    set: String,
    shown: bool,
    shown_unverified: bool,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, set: String, shown: bool, shown_unverified: bool| {
        cases.push(Case { name, set, shown, shown_unverified });
    };
    for state in STATES {
        let hidden = ["deprecated", "superseded", "archived", "rejected"].contains(&state);
        for kind in ["lesson", "fact", "summary", "checkpoint"] {
            for verified in [true, false] {
                let ghost = kind == "lesson" && !verified;
                add(
                    format!("{state} {kind} verified={verified}"),
                    format!(
                        "state = '{state}', kind = '{kind}', verified_at = {}",
                        if verified { "now()" } else { "null" }
                    ),
                    !hidden && !ghost,
                    !hidden,
                );
            }
        }
    }
    for (column, value, shown) in [
        ("expires_at", "null", true),
        ("expires_at", "now() + '1 hour'", true),
        ("expires_at", "'infinity'", true),
        ("expires_at", "now()", false),
        ("expires_at", "now() - '1 microsecond'::interval", false),
        ("expires_at", "'-infinity'", false),
        ("valid_from", "null", true),
        ("valid_from", "now()", true),
        ("valid_from", "now() + '1 hour'", false),
        ("valid_from", "'-infinity'", true),
        ("valid_from", "'infinity'", false),
        ("valid_to", "null", true),
        ("valid_to", "now() + '1 hour'", true),
        ("valid_to", "'infinity'", true),
        ("valid_to", "now()", false),
        ("valid_to", "now() - '1 hour'::interval", false),
        ("valid_from", "null, created_at = null", true),
        ("valid_from", "null, created_at = now() + '1 hour'", false),
        ("is_active", "false", false),
        ("namespace", "'team:b'", false),
    ] {
        let value = value.replace("'1 hour'", "'1 hour'::interval").replace("::interval::interval", "::interval");
        add(format!("{column} = {value}"), format!("{column} = {value}"), shown, shown);
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_exactly_what_it_should() {
    let (test, store) = installed().await;
    let cases = cases();
    let mut sql = String::new();
    for (n, case) in cases.iter().enumerate() {
        sql.push_str(&format!(
            "insert into heirloom.memory (id, namespace, kind, role, topic, content, verified_at, embedding) values \
             ('00000000-0000-0000-0000-{n:012}', 'team:a', 'lesson', 'r', 't', 'xyzzy 東京', now(), \
             array_fill(1::real, array[1024])); update heirloom.memory set {} where id = '00000000-0000-0000-0000-{n:012}';",
            case.set
        ));
    }
    behind(&store, &sql).await;
    let by_vector = Recall { embedding: Some(vec![1.0; 1024]), ..Recall::default() };
    for question in
        [words("xyzzy"), words("東京"), by_vector.clone(), Recall { query: Some("xyzzy".to_owned()), ..by_vector }]
    {
        for include_unverified in [false, true] {
            let asked = Recall { include_unverified, limit: Some(1_000), ..question.clone() };
            let found = store.recall(&scope("team:a"), &asked).await.unwrap();
            let mut ghosts = 0;
            for (n, case) in cases.iter().enumerate() {
                let wanted = if include_unverified { case.shown_unverified } else { case.shown };
                ghosts += i64::from(case.shown_unverified && !case.shown);
                let id = format!("00000000-0000-0000-0000-{n:012}");
                assert_eq!(found.hits.iter().any(|hit| hit.id.to_string() == id), wanted, "{}: {asked:?}", case.name);
            }
            assert_eq!(found.ghosts_left_out, if include_unverified { 0 } else { ghosts });
        }
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expiry_and_validity_end_at_their_very_instant() {
    let (test, store) = installed().await;
    behind(
        &store,
        "insert into heirloom.memory (namespace, kind, content, expires_at, valid_from) values
             ('team:a', 'fact', 'xyzzy expires', '2999-01-01 00:00:00Z', '-infinity');
         insert into heirloom.memory (namespace, kind, content, valid_from, valid_to) values
             ('team:a', 'fact', 'xyzzy valid', '2998-01-01 00:00:00Z', '2999-01-01 00:00:00Z')",
    )
    .await;
    let client = store.database().client().await.unwrap();
    for (at, wanted) in [
        ("2997-12-31 23:59:59.999999Z", 1),
        ("2998-01-01 00:00:00Z", 2),
        ("2998-12-31 23:59:59.999999Z", 2),
        ("2999-01-01 00:00:00Z", 0),
    ] {
        let sql = format!("select count(*) from heirloom.recall('xyzzy', null, '{{team:a}}', at => '{at}')");
        assert_eq!(client.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0), wanted, "{at}");
    }
    // Looking back shows what was valid then, never what has expired since.
    client.batch_execute("update heirloom.memory set expires_at = '2001-01-01Z'").await.unwrap();
    let back = "select count(*) from heirloom.recall('xyzzy', null, '{team:a}', at => '2000-01-01Z')";
    assert_eq!(client.query_one(back, &[]).await.unwrap().get::<_, i64>(0), 0);
    drop(client);
    test.close().await;
}

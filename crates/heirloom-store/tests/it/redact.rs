//! Each label's shapes, what is none, and every live write of the store's own code.

use std::collections::BTreeSet;

use heirloom_store::redact::{LABELS, Origin, findings, list, redact, redact_json};
use heirloom_store::{Forget, Remember, Revise, Show, Transition};
use serde_json::json;

use crate::installed;
use crate::redact_vectors::{LEFT, TAKEN};
use crate::world::{fact, lesson, number, remembered, scope};

const SECRET: &str = "sk-abcdefghijklmnop1234";

#[test]
fn what_has_the_shape_of_a_credential_goes() {
    for (text, expected) in TAKEN {
        assert_eq!(redact(text), *expected, "{text}");
        assert_eq!(redact(expected), *expected, "not stable: {expected}");
    }
}

#[test]
fn what_only_looks_random_stays() {
    for text in LEFT {
        assert_eq!(redact(text), *text);
        assert!(findings(text).is_empty());
    }
}

#[test]
fn every_label_has_a_text_that_bears_it_and_is_counted() {
    let mut seen = BTreeSet::new();
    for (text, expected) in TAKEN {
        for (label, count) in findings(text) {
            assert!(count > 0 && expected.contains(&format!("[REDACTED:{label}]")), "{label}: {expected}");
            seen.insert(label);
        }
    }
    for label in LABELS.iter() {
        assert!(seen.contains(*label), "no text for {label}");
    }
}

#[test]
fn the_platforms_nineteen_are_there_once_and_in_its_order() {
    let mut numbers: Vec<(u8, &str)> = list()
        .iter()
        .filter_map(|rule| match rule.origin {
            Origin::Platform(number) => Some((number, rule.label)),
            Origin::Extension => None,
        })
        .collect();
    numbers.dedup();
    let labels = [
        "API_KEY",
        "TOKEN",
        "SECRET",
        "BEARER_TOKEN",
        "OPENSSH_PRIVATE_KEY",
        "PRIVATE_KEY",
        "DB_URL_WITH_CREDENTIALS",
        "GITHUB_PAT",
        "GITHUB_OAUTH",
        "GITHUB_APP_SERVER_TOKEN",
        "GITHUB_USER_TOKEN",
        "GITHUB_REFRESH_TOKEN",
        "GITHUB_FINEGRAINED_PAT",
        "VERCEL_TOKEN",
        "AWS_ACCESS_KEY_ID",
        "PERPLEXITY_API_KEY",
        "SK_TOKEN",
        "CTX7_TOKEN",
        "BASE64_BLOB",
    ];
    let expected: Vec<(u8, &str)> = (1..).zip(labels).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn an_earlier_rule_takes_what_a_later_one_would() {
    assert_eq!(redact("OPENAI_API_KEY=sk-abcdefghijklmnop1234"), "[REDACTED:API_KEY]");
    assert_eq!(redact("MY_TOKEN=ghp_abcdefghijklmnop1234"), "[REDACTED:TOKEN]");
    assert_eq!(redact("Bearer ghp_abcdefghijklmnop1234"), "[REDACTED:BEARER_TOKEN]");
}

#[test]
fn json_is_redacted_at_any_depth_in_keys_and_under_names() {
    let value = json!({
        "n": 1.50,
        "list": [SECRET, {"deep": format!("see {SECRET}")}],
        SECRET: true,
        "password": "hunter2",
        "api_key": "9fKq27xLmZpW",
        "GITHUB_TOKEN": "abcdef99",
        "eos_token": "</s>",
        "token": "550e8400-e29b-41d4-a716-446655440000",
    });
    let after = redact_json(&value).unwrap();
    assert_eq!(
        after,
        json!({
            "n": 1.50,
            "list": ["[REDACTED:SK_TOKEN]", {"deep": "see [REDACTED:SK_TOKEN]"}],
            "[REDACTED:SK_TOKEN]": true,
            "password": "[REDACTED:PASSWORD]",
            "api_key": "[REDACTED:CREDENTIAL]",
            "GITHUB_TOKEN": "[REDACTED:TOKEN]",
            "eos_token": "</s>",
            "token": "550e8400-e29b-41d4-a716-446655440000",
        })
    );
    assert_eq!(redact_json(&after), None, "twice changes nothing");
}

#[test]
fn keys_that_become_one_are_numbered_and_none_is_lost() {
    let value = json!({"ghp_abcdefghijklmnop1235": 2, "ghp_abcdefghijklmnop1234": 1, "[REDACTED:GITHUB_PAT]": 0});
    assert_eq!(
        redact_json(&value).unwrap(),
        json!({"[REDACTED:GITHUB_PAT]": 0, "[REDACTED:GITHUB_PAT] (2)": 1, "[REDACTED:GITHUB_PAT] (3)": 2})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_live_write_keeps_a_credential() {
    let (test, store) = installed().await;
    let team = scope("team:a");
    let new = Remember {
        topic: Some(format!("about {SECRET}")),
        role: Some("reviewer".to_owned()),
        metadata: Some(json!({"password": "hunter2", "n": 1})),
        propagation: Some(json!([SECRET])),
        ..fact("team:a", &format!("the key is {SECRET} and {SECRET}"))
    };
    let done = store.remember(&team, &new).await.unwrap();
    assert_eq!(
        done.redacted.iter().map(|(label, n)| (label.as_str(), *n)).collect::<Vec<_>>(),
        [("PASSWORD", 1), ("SK_TOKEN", 4)]
    );
    let memory = store.show(&team, &Show { id: done.id, namespace: None }).await.unwrap().memory;
    assert_eq!(memory.content, "the key is [REDACTED:SK_TOKEN] and [REDACTED:SK_TOKEN]");
    assert_eq!(memory.topic.as_deref(), Some("about [REDACTED:SK_TOKEN]"));
    assert_eq!(memory.metadata, Some(json!({"password": "[REDACTED:PASSWORD]", "n": 1})));
    assert_eq!(memory.propagation, Some(json!(["[REDACTED:SK_TOKEN]"])));

    // The same again is the same: an id is idempotent by what was asked for.
    let again = Remember { id: Some(done.id), ..new };
    let known = store.remember(&team, &again).await.unwrap();
    assert!(!known.created && !known.redacted.is_empty());

    let change = Revise { id: done.id, content: Some("now ghp_abcdefghijklmnop1234".to_owned()), ..Revise::default() };
    let revised = store.revise(&team, &change).await.unwrap();
    assert_eq!(revised.redacted.get("GITHUB_PAT"), Some(&1));
    // What it says already, redacted, is no change.
    let same = store.revise(&team, &change).await.unwrap();
    assert!(!same.changed);

    let step = Transition {
        id: done.id,
        to: "rejected".to_owned(),
        reason: Some(format!("leaks {SECRET}")),
        ..Transition::default()
    };
    store.transition(&team, &step).await.unwrap();
    let forget = Forget { id: done.id, reason: Some(format!("held {SECRET}")), ..Forget::default() };
    store.forget(&team, &forget).await.unwrap();
    let other = remembered(&store, &lesson("team:a", "quiet", None)).await;
    let step = Transition {
        id: other,
        to: "rejected".to_owned(),
        reason: Some(format!("leaks {SECRET}")),
        ..Transition::default()
    };
    store.transition(&team, &step).await.unwrap();
    for (table, column) in [("state_transition", "reason"), ("tombstone", "reason")] {
        let kept = format!("select count(*) from heirloom.{table} where {column} like '%[REDACTED:SK_TOKEN]%'");
        assert_eq!(number(&store, &kept).await, 1, "{table}");
    }
    for table in ["memory", "revision", "state_transition", "tombstone", "activity"] {
        let kept = format!("select count(*) from heirloom.{table} t where t::text ~ 'abcdefghijklmnop|hunter2'");
        assert_eq!(number(&store, &kept).await, 0, "{table}");
    }
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_findings_says_nothing_of_them() {
    let (test, store) = installed().await;
    let done = store.remember(&scope("team:a"), &fact("team:a", "nothing to hide")).await.unwrap();
    assert!(serde_json::to_value(&done).unwrap().get("redacted").is_none());
    test.close().await;
}

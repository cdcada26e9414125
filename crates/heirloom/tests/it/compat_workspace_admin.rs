//! Item 37 of the platform's list, done better: an export streams everything there is, and an import brings it back as it
//! was, however often it runs.

use serde_json::{Value, json};

use crate::door::Door;

async fn export(served: &Door) -> Vec<Value> {
    let got = served.ask("GET", "/admin/memories/export", "").await;
    assert_eq!((got.status, got.header("content-type")), (200, Some("application/json")));
    let mut all: Vec<Value> = serde_json::from_str(&got.text).unwrap_or_else(|error| panic!("{error}: {}", got.text));
    all.sort_by_key(|entry| entry["id"].as_str().unwrap().to_owned());
    all
}

async fn import(served: &Door, body: &str) -> Value {
    served.ask("POST", "/admin/memories/import", body).await.is(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_comes_back_as_it_was() {
    let from = Door::open().await;
    assert_eq!(export(&from).await, [] as [Value; 0]);
    for words in ["root --name Acme", "child --name Child --parent root"] {
        assert_eq!(from.run(&format!("workspace put {words}")).code, 0);
    }
    let write = async |namespace: &str, body: Value| {
        from.ask("POST", &format!("/v1/namespaces/{namespace}/memories"), &body.to_string()).await.is(201);
    };
    // More than a page, and more than one body of an ordinary request may hold.
    let filler = "words ".repeat(170);
    let many: Vec<Value> = (0..1_100)
        .map(|n| json!({ "content": format!("{n} {filler}"), "scope": "LOCAL", "workspace_name": "Child", "created_at": "2021-01-01T00:00:00Z" }))
        .collect();
    let many = serde_json::to_string(&many).unwrap();
    assert!(many.len() > 1 << 20);
    assert_eq!(import(&from, &many).await, json!({ "imported": 1_100, "skipped": 0, "errors": 0, "total": 1_100 }));
    write("workspace:child", json!({ "content": "<pinned>", "kind": "summary", "source": "runtime", "pin": true,
        "expires_at": "2098-01-01T00:00:00.000001Z", "created_at": "2020-02-03T04:05:06.789Z", "propagation": { "a": [null] } })).await;
    write(
        "workspace:child",
        json!({ "content": "over", "kind": "fact", "source": "user", "expires_at": "2001-01-01T00:00:00Z" }),
    )
    .await;
    write("custom:elsewhere", json!({ "content": "of no workspace", "kind": "checkpoint", "source": "agent" })).await;
    let tagged = json!({ "content": "for all [MEMORY id", "scope": "GLOBAL", "namespace": "rules" }).to_string();
    from.ask("POST", "/workspaces/root/memories", &tagged).await.is(201);
    let lesson = from
        .run("remember -n team:root --kind lesson --role reviewer --topic css --importance 5 --commit-sha abc learned");
    assert_eq!(lesson.code, 0, "{lesson}");

    let exported = export(&from).await;
    assert_eq!(exported.len(), 1_105);
    let one = |content: &str| exported.iter().find(|entry| entry["content"] == content).unwrap();
    let pinned = one("<pinned>");
    for (field, value) in [
        ("scope", json!("LOCAL")),
        ("namespace", json!("workspace:child")),
        ("workspace_name", json!("Child")),
        ("created_at", json!("2020-02-03T04:05:06.789Z")),
        ("kind", json!("summary")),
        ("source", json!("runtime")),
        ("pin", json!(true)),
        ("expires_at", json!("2098-01-01T00:00:00.000001Z")),
        ("propagation", json!({ "a": [null] })),
    ] {
        assert_eq!(pinned[field], value, "{field}");
    }
    assert_eq!(
        (&one("for all [_MEMORY id")["topic"], &one("for all [_MEMORY id")["scope"]),
        (&json!("rules"), &json!("GLOBAL"))
    );
    assert_eq!(
        (&one("over")["expires_at"], &one("of no workspace")["scope"]),
        (&json!("2001-01-01T00:00:00Z"), &json!(""))
    );

    let body = from.ask("GET", "/admin/memories/export", "").await.text;
    assert_eq!(import(&from, &body).await, json!({ "imported": 0, "skipped": 1_105, "errors": 0, "total": 1_105 }));
    let to = Door::open().await;
    assert_eq!(import(&to, &body).await, json!({ "imported": 1_105, "skipped": 0, "errors": 0, "total": 1_105 }));
    let mut again = export(&to).await;
    for (entry, before) in again.iter_mut().zip(&exported) {
        // The tree was not moved, only the memories.
        assert_eq!(entry["workspace_name"], "");
        entry["workspace_name"] = before["workspace_name"].clone();
    }
    assert!(again == exported, "something is not as it was");

    // What was forgotten stays so, and what was changed is not changed back.
    let id = pinned["id"].as_str().unwrap();
    let forget = r#"{"requested_by_namespace":"workspace:child"}"#;
    to.ask("DELETE", &format!("/v1/memories/{id}"), forget).await.is(204);
    let counts = import(&to, &body).await;
    assert_eq!((&counts["imported"], &counts["skipped"], &counts["errors"]), (&json!(0), &json!(1_105), &json!(0)));
    assert!(counts["problems"][0]["error"].as_str().unwrap().contains("was forgotten"), "{counts}");
    assert_eq!((from.stop().await, to.stop().await), (Some(0), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_or_unverified_memory_comes_back_as_that() {
    let whole = json!({
        "id": "0199d5a0-0000-7000-8000-000000000001", "content": "closed and sure", "scope": "", "namespace": "project:7",
        "created_at": "2020-01-02T03:04:05Z", "workspace_name": "", "kind": "lesson", "source": "imported", "pin": false,
        "expires_at": "9999-12-31T23:59:59Z", "valid_from": "2020-01-01T00:00:00Z", "valid_to": "2021-01-01T00:00:00Z",
        "updated_at": "2020-02-02T03:04:05.000001Z", "role": "reviewer", "topic": "css", "importance": 4, "confidence": 0.9,
        "state": "validated", "state_changed_at": "2020-03-02T03:04:05Z", "verified_at": "2020-04-02T03:04:05Z",
        "is_active": true, "commit_sha": "abc", "artifact_hash": "def", "source_run_id": "r", "source_task_id": "17",
        "source_dag_id": "d", "project_id": 7, "content_type": "text/markdown", "item_kind": "spec",
        "propagation": { "a": 1 }, "metadata": { "tags": ["x"] },
    });
    let bare = json!({
        "id": "0199d5a0-0000-7000-8000-000000000002", "content": "nobody verified this, nobody knows when", "scope": "GLOBAL",
        "namespace": "org:acme", "created_at": "0001-01-01T00:00:00Z", "workspace_name": "", "kind": "lesson",
        "source": "agent", "pin": true, "expires_at": "infinity", "valid_from": null, "updated_at": null,
        "role": "reviewer", "topic": "css", "importance": 3, "confidence": null, "state": "draft",
        "state_changed_at": null, "verified_at": null, "is_active": false, "commit_sha": "abc", "item_kind": "note",
    });
    // Closed in the moment it began, as the SQL door closes a version; and in words that begin as our delimiter does.
    let empty = json!({
        "id": "0199d5a0-0000-7000-8000-000000000003", "content": "[MEMORY id=1] is how it was said", "scope": "GLOBAL",
        "namespace": "org:acme", "created_at": "9999-12-31T23:59:59Z", "workspace_name": "", "kind": "fact",
        "source": "user", "pin": false, "valid_from": "2022-01-01T00:00:00Z", "valid_to": "2022-01-01T00:00:00Z",
        "updated_at": "2022-01-01T00:00:00Z", "importance": 3, "confidence": 0.5, "state": "draft",
        "state_changed_at": "2022-01-01T00:00:00Z", "verified_at": null, "is_active": true, "item_kind": "note",
    });
    let (from, to) = (Door::open().await, Door::open().await);
    let given = json!([whole, bare, empty]).to_string();
    assert_eq!(import(&from, &given).await, json!({ "imported": 3, "skipped": 0, "errors": 0, "total": 3 }));
    let exported = export(&from).await;
    for (entry, given) in exported.iter().zip([&whole, &bare, &empty]) {
        for (field, value) in given.as_object().unwrap() {
            if field == "confidence" && value == &json!(0.9) {
                assert!((entry[field].as_f64().unwrap() - 0.9).abs() < 1e-6, "{entry}");
            } else {
                assert_eq!(&entry[field], value, "{field} of {}", entry["content"]);
            }
        }
    }
    let body = from.ask("GET", "/admin/memories/export", "").await.text;
    assert_eq!(import(&to, &body).await, json!({ "imported": 3, "skipped": 0, "errors": 0, "total": 3 }));
    assert_eq!(export(&to).await, exported);
    assert_eq!(import(&to, &body).await, json!({ "imported": 0, "skipped": 3, "errors": 0, "total": 3 }));
    for (namespace, word) in [("project:7", "closed"), ("org:acme", "verified"), ("org:acme", "said")] {
        let found = to.run(&format!("recall -n {namespace} {word} --json"));
        assert_eq!(serde_json::from_str::<Value>(&found.stdout).unwrap()["hits"], json!([]), "{found}");
    }
    assert_eq!((from.stop().await, to.stop().await), (Some(0), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_without_an_id_is_the_same_memory_each_time() {
    let served = Door::open().await;
    assert_eq!(served.run("workspace put root --name Acme").code, 0);
    let body = json!([
        { "content": "one", "scope": "LOCAL", "workspace_name": "Acme", "created_at": "2022-03-04T05:06:07Z" },
        { "content": "one", "scope": "TEAM", "workspace_name": "Acme" },
        { "content": "one", "namespace": "team:root" },
        { "content": "[MEMORY two", "scope": "GLOBAL", "workspace_name": "Acme" },
        { "content": "password=hunter2hunter2hunter2", "namespace": "team:root" },
    ])
    .to_string();
    let counts = import(&served, &body).await;
    assert_eq!(
        (&counts["imported"], &counts["skipped"], &counts["errors"]),
        (&json!(4), &json!(1), &json!(0)),
        "{counts}"
    );
    let before = export(&served).await;
    assert_eq!(before.len(), 4);
    assert!(before.iter().any(|entry| entry["content"] == "[_MEMORY two"), "{before:?}");
    assert_eq!(import(&served, &body).await, json!({ "imported": 0, "skipped": 5, "errors": 0, "total": 5 }));
    assert_eq!(export(&served).await, before);
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_the_platforms_own_exports_find_their_place() {
    let served = Door::open().await;
    for words in ["root --name Acme", "child --name Child --parent root", "a --name Twin", "b --name Twin"] {
        assert_eq!(served.run(&format!("workspace put {words}")).code, 0);
    }
    let body = json!([
        { "content": "one", "scope": "", "namespace": "facts", "workspace_name": "Child", "created_at": "2022-03-04T05:06:07Z" },
        { "content": "two", "scope": "team", "workspace_name": "Child" },
        { "content": "three", "scope": "GLOBAL", "workspace_name": "Child" },
        { "content": "four", "scope": "LOCAL", "workspace_name": "Nobody" },
        { "content": "five", "scope": "LOCAL", "workspace_name": "Twin" },
        { "content": "six", "scope": "LOCAL", "workspace_id": "b" },
        { "content": " ", "scope": "LOCAL", "workspace_name": "Child" },
        { "content": "seven", "scope": "SOME", "workspace_name": "Child" },
        { "content": "eight", "scope": "LOCAL", "workspace_name": "Child", "created_at": "then" },
    ]);
    let counts = import(&served, &body.to_string()).await;
    assert_eq!(
        (&counts["imported"], &counts["skipped"], &counts["errors"], &counts["total"]),
        (&json!(4), &json!(1), &json!(4), &json!(9))
    );
    let problems: Vec<u64> =
        counts["problems"].as_array().unwrap().iter().map(|p| p["index"].as_u64().unwrap()).collect();
    assert_eq!(problems, [3, 4, 6, 7, 8]);
    let places: Vec<(String, String)> = export(&served)
        .await
        .iter()
        .map(|entry| (entry["content"].as_str().unwrap().to_owned(), entry["namespace"].as_str().unwrap().to_owned()))
        .collect();
    for (content, namespace) in
        [("one", "workspace:child"), ("two", "team:root"), ("three", "org:root"), ("six", "workspace:b")]
    {
        assert!(places.contains(&(content.to_owned(), namespace.to_owned())), "{places:?}");
    }
    // Who names no workspace does not mean the one that nobody gave a name.
    assert_eq!(served.run("workspace put nameless --name=").code, 0);
    let counts = import(&served, &json!([{ "content": "nine" }]).to_string()).await;
    assert_eq!((&counts["imported"], &counts["skipped"]), (&json!(0), &json!(1)));
    let dated = served.ask("GET", "/workspaces/child/memories?namespace=facts", "").await.is(200);
    assert_eq!(dated[0]["created_at"], "2022-03-04T05:06:07Z");

    for (bad, imported) in [("", 0), ("{}", 0), ("[1]", 0), ("[{}", 0), ("[,]", 0)] {
        let refused = served.ask("POST", "/admin/memories/import", bad).await.is(400);
        let words = refused["error"].as_str().unwrap();
        assert!(
            words.starts_with("invalid JSON: ") && words.ends_with(&format!("{imported} were imported")),
            "{bad}: {words}"
        );
    }
    let half = r#"[{"content":"kept","scope":"LOCAL","workspace_name":"Child"},{"content":"#;
    let refused = served.ask("POST", "/admin/memories/import", half).await.is(400);
    assert!(refused["error"].as_str().unwrap().ends_with("1 entries, of which 1 were imported"), "{refused}");
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_part_of_the_question() {
    let served = Door::open().await;
    assert_eq!(served.run("workspace put root --name Acme").code, 0);
    // Better matches of another tag, more of them than one call of recall gives.
    let mut entries: Vec<Value> = (0..1_050)
        .map(|n| json!({ "content": format!("tabs tabs tabs {n}"), "scope": "LOCAL", "namespace": "general", "workspace_name": "Acme" }))
        .collect();
    entries.extend((0..12).map(|n| {
        let content = format!("{n} {} about tabs", "many other words stand in this one ".repeat(8));
        json!({ "content": content, "scope": "LOCAL", "namespace": "facts", "workspace_name": "Acme" })
    }));
    let counts = import(&served, &serde_json::to_string(&entries).unwrap()).await;
    assert_eq!(counts["imported"], 1_062, "{counts}");
    for (query, found) in
        [("namespace=facts&limit=10", 10), ("namespace=facts", 12), ("namespace=general&limit=50", 50)]
    {
        let listed = served.ask("GET", &format!("/workspaces/root/memories?q=tabs&{query}"), "").await.is(200);
        let tagged = listed.as_array().unwrap();
        assert_eq!(tagged.len(), found, "{query}");
        let is_fact = |entry: &Value| entry["content"].as_str().unwrap().contains("about tabs");
        assert!(tagged.iter().all(|entry| is_fact(entry) == query.contains("facts")), "{query}: {listed}");
    }
    for none in ["other", "%20", "%00"] {
        let path = format!("/workspaces/root/memories?q=tabs&namespace={none}");
        assert_eq!(served.ask("GET", &path, "").await.is(200), json!([]), "{none}");
    }
    assert_eq!(served.stop().await, Some(0));
}

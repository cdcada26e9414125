//! Lists over HTTP, page by page: all of it once, and no cursor is good for anything but its own list.

use serde_json::{Value, json};

use crate::served::Served;

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What a question gives in pages of one length, item by item as `item` reads them from a page.
async fn walked(
    served: &Served,
    token: &str,
    path: &str,
    limit: usize,
    item: impl Fn(&Value) -> Vec<String>,
) -> Vec<String> {
    let glue = if path.contains('?') { '&' } else { '?' };
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..100 {
        let page = served.get(&format!("{path}{glue}limit={limit}{cursor}"), token).await.is(200);
        found.extend(item(&page));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={}", encoded(next)),
            None => return found,
        }
    }
    panic!("{path}: it does not end");
}

/// The cursor after the first item of a question.
async fn cursor(served: &Served, token: &str, path: &str) -> String {
    let glue = if path.contains('?') { '&' } else { '?' };
    let page = served.get(&format!("{path}{glue}limit=1"), token).await.is(200);
    encoded(page["next"].as_str().unwrap_or_else(|| panic!("{path}: {page}")))
}

/// Refused with 400 for this field.
async fn refused(served: &Served, token: &str, path: &str, field: &str) {
    let got = served.get(path, token).await;
    assert_eq!(got.is(400)["field"], field, "{path}: {got:?}");
}

fn each(page: &Value, list: &str, name: impl Fn(&Value) -> String) -> Vec<String> {
    page[list].as_array().unwrap_or_else(|| panic!("{list}: {page}")).iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_that_gives_a_list_takes_a_cursor() {
    // What is one thing, or as many as were asked for, or as many as a plan or a token names.
    let none = [
        "run/show",
        "run/compare",
        "run/evidence",
        "recall",
        "show",
        "origin",
        "stats",
        "whoami",
        "events",
        "events/ws",
    ];
    let contract = heirloom::http::openapi::build();
    let mut lists = 0;
    for (path, methods) in contract["paths"].as_object().unwrap() {
        let Some(get) = methods.get("get") else { continue };
        let parameters: Vec<&Value> = get["parameters"].as_array().into_iter().flatten().collect();
        let has = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
        let name = path.trim_start_matches("/api/v1/");
        let is_list = !none.contains(&name);
        assert_eq!((has("cursor"), has("limit") || name == "recall"), (is_list, is_list || name == "recall"), "{path}");
        lists += usize::from(is_list);
    }
    assert!(lists >= 10, "{lists}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_and_the_links_of_a_memory_have_pages() {
    let served = Served::new().await;
    let (ours, theirs) = (served.token("w", "write", &["team:a"]), served.token("o", "write", &["team:a"]));
    let note = json!({ "content": "version 1", "namespace": "team:a", "kind": "fact" });
    let id = served.post("/api/v1/remember", &ours, &note).await.is(201)["id"].as_str().unwrap().to_owned();
    let revise = async |version: u32| {
        let revision = json!({ "id": id, "content": format!("version {version}") });
        served.post("/api/v1/revise", &ours, &revision).await.is(200);
    };
    for version in 2..=6 {
        revise(version).await;
    }
    for to in ["candidate", "validated", "canonical"] {
        served.post("/api/v1/transition", &ours, &json!({ "id": id, "to": to })).await.is(200);
    }
    let past = format!("/api/v1/history?id={id}");
    let items = |page: &Value| {
        let versions = each(page, "revisions", |one| format!("version {}", one["version"]));
        let steps = each(page, "transitions", |one| format!("to {}", one["to"]));
        let acts = each(page, "activity", |one| format!("{} at {}", one["action"], one["at"]));
        [versions, steps, acts].concat()
    };
    let whole = served.get(&past, &ours).await.is(200);
    assert!(whole.get("next").is_none(), "{whole}");
    let mut all = items(&whole);
    assert_eq!(all.len(), 5 + 3 + 9, "{whole}");
    all.sort();
    for limit in [1, 2, 4, 9, 10] {
        let mut found = walked(&served, &ours, &past, limit, items).await;
        found.sort();
        assert_eq!(found, all, "in pages of {limit}");
    }
    // What is done meanwhile hides nothing that was there, and shows nothing of it twice.
    let first = served.get(&format!("{past}&limit=2"), &ours).await.is(200);
    revise(7).await;
    let rest = encoded(first["next"].as_str().unwrap());
    let rest = served.get(&format!("{past}&limit=1000&cursor={rest}"), &ours).await.is(200);
    let mut found = [items(&first), items(&rest)].concat();
    found.sort();
    assert_eq!(found, all);

    let mut ids = Vec::new();
    for n in 0..5 {
        let event = json!({ "content": format!("neighbour {n}"), "namespace": "team:a", "kind": "fact" });
        ids.push(served.post("/api/v1/remember", &ours, &event).await.is(201)["id"].as_str().unwrap().to_owned());
    }
    let links = format!("/api/v1/links?id={id}");
    assert!(served.get(&links, &ours).await.is(200).get("next").is_none());

    // A cursor is its question's and its caller's own, whatever else they may see.
    let list = "/api/v1/list?namespaces=team:a";
    for (path, others) in [
        (past.as_str(), vec![format!("/api/v1/history?id={}", ids[0]), format!("{past}&namespace=team:a")]),
        (list, vec![format!("{list}&kinds=fact"), "/api/v1/list".to_owned()]),
    ] {
        let cursor = cursor(&served, &ours, path).await;
        served.get(&format!("{path}&limit=3&cursor={cursor}"), &ours).await.is(200);
        refused(&served, &theirs, &format!("{path}&cursor={cursor}"), "cursor").await;
        for other in others {
            let glue = if other.contains('?') { '&' } else { '?' };
            refused(&served, &ours, &format!("{other}{glue}cursor={cursor}"), "cursor").await;
        }
        refused(&served, &ours, &format!("{path}&cursor={}", &cursor[1..]), "cursor").await;
    }
    for path in [past.as_str(), links.as_str(), list] {
        for (wrong, field) in
            [("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("cursor=1~2~3", "cursor")]
        {
            refused(&served, &ours, &format!("{path}&{wrong}"), field).await;
        }
    }
    let cursor = cursor(&served, &ours, list).await;
    refused(&served, &served.admin, &format!("{list}&cursor={cursor}"), "cursor").await;
    // The marks of a list are cursors, too.
    for n in 0..12 {
        let note = json!({ "content": format!("more {n}"), "namespace": "team:a", "kind": "fact" });
        served.post("/api/v1/remember", &ours, &note).await.is(201);
    }
    let page = served.get(&format!("{list}&marks=10&limit=10"), &ours).await.is(200);
    assert_eq!(page["marks"][0], page["next"], "{page}");
    let mark = encoded(page["marks"][0].as_str().unwrap());
    assert_eq!(served.get(&format!("{list}&cursor={mark}"), &ours).await.is(200)["items"].as_array().unwrap().len(), 8);
    refused(&served, &theirs, &format!("{list}&cursor={mark}"), "cursor").await;
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_soaks_and_chains_have_pages() {
    let served = Served::new().await;
    let table = "create table notes (id integer primary key, body text); insert into notes values (1, 'one')";
    for name in ["first", "second", "third"] {
        let legacy = rusqlite::Connection::open(served.home.path().join(format!("{name}.db"))).unwrap();
        legacy.execute_batch(table).unwrap();
        let file = format!(
            "name = \"{name}\"\n[source]\nurl = \"sqlite:{name}.db\"\ntable = \"notes\"\n[namespace]\n\
             template = \"team:{name}\"\n[map]\ncontent = \"body\"\nkind = {{ value = \"fact\" }}\n"
        );
        std::fs::write(served.home.path().join(format!("{name}.toml")), file).unwrap();
    }
    let hand_down = |name: &str| {
        for words in [format!("plan {name}.toml"), format!("apply {name}.plan.json")] {
            let ran = served.run(&words);
            assert_eq!(ran.code, 0, "`{words}`: {ran}");
        }
    };
    ["first", "second", "third"].into_iter().for_each(hand_down);
    let admin = &served.admin;
    for (path, list) in
        [("status", "runs"), ("soak/status", "soaks"), ("audit/check", "chains"), ("audit/list", "entries")]
    {
        let path = format!("/api/v1/{path}");
        let names = |page: &Value| each(page, list, |one| format!("{} {}", one["run_id"], one["seq"]));
        let whole = served.get(&path, admin).await.is(200);
        assert!(whole["next"].is_null(), "{whole}");
        let all = names(&whole);
        assert!(all.len() >= 3, "{whole}");
        for limit in 1..=4 {
            assert_eq!(walked(&served, admin, &path, limit, names).await, all, "{path} in pages of {limit}");
        }
        let cursor = cursor(&served, admin, &path).await;
        let other = if list == "status" { "/api/v1/soak/status" } else { "/api/v1/status" };
        if list != "runs" {
            refused(&served, admin, &format!("{other}?cursor={cursor}"), "cursor").await;
        } else {
            refused(&served, admin, &format!("{path}?name=first&cursor={cursor}"), "cursor").await;
        }
        let another = served.token(&format!("other-{list}"), "admin", &[]);
        refused(&served, &another, &format!("{path}?cursor={cursor}"), "cursor").await;
        for (wrong, field) in [("limit=0", "limit"), ("limit=10001", "limit"), ("cursor=nowhere", "cursor")] {
            refused(&served, admin, &format!("{path}?{wrong}"), field).await;
        }
    }
    // A later run of a migration that was shown neither repeats it nor hides those that follow.
    let names = |page: &Value| each(page, "soaks", |one| one["name"].to_string());
    let first = served.get("/api/v1/soak/status?limit=1", admin).await.is(200);
    assert_eq!(names(&first), ["\"first\""]);
    hand_down("first");
    let rest = encoded(first["next"].as_str().unwrap());
    let rest = served.get(&format!("/api/v1/soak/status?cursor={rest}"), admin).await.is(200);
    assert_eq!(names(&rest), ["\"second\"", "\"third\""]);
    assert_eq!(served.stop().await, Some(0));
}

/// Whether a door's list goes on where it ended, its items told apart by a field.
async fn pages(served: &Served, path: &str, list: &str, name: &str) -> Vec<String> {
    let names = |page: &serde_json::Value| -> Vec<String> {
        page[list].as_array().unwrap().iter().map(|item| item[name].to_string()).collect()
    };
    let whole = served.get(path, &served.admin).await.is(200);
    assert!(whole["next"].is_null(), "{whole}");
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = served.get(&format!("{path}?limit=2{cursor}"), &served.admin).await.is(200);
        assert!(page[list].as_array().unwrap().len() <= 2, "{page}");
        found.extend(names(&page));
        match page["next"].as_str() {
            Some(next) => {
                cursor = format!("&cursor={}", form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>())
            }
            None => break,
        }
    }
    assert_eq!(found, names(&whole), "{path}");
    for (wrong, field) in [("limit=0", "limit"), ("limit=10001", "limit"), ("cursor=nowhere", "cursor")] {
        assert_eq!(
            served.get(&format!("{path}?{wrong}"), &served.admin).await.is(400)["field"],
            field,
            "{path}?{wrong}"
        );
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_workspaces_and_namespaces_have_pages() {
    let served = Served::new().await;
    for name in ["a", "b", "c", "d"] {
        served.token(name, "write", &["team:a"]);
        let workspace = json!({ "id": format!("ws-{name}"), "name": name });
        served.post("/api/v1/workspace/put", &served.admin, &workspace).await.is(200);
        let note = json!({ "content": "here", "namespace": format!("team:{name}") });
        served.post("/api/v1/remember", &served.admin, &note).await.is(201);
    }
    assert_eq!(pages(&served, "/api/v1/token/list", "tokens", "name").await.len(), 5);
    assert_eq!(pages(&served, "/api/v1/workspace/list", "workspaces", "id").await.len(), 4);
    assert_eq!(pages(&served, "/api/v1/namespaces", "namespaces", "name").await.len(), 4);
    // One that was shown and is gone costs nothing of those that follow.
    let page = served.get("/api/v1/token/list?limit=2", &served.admin).await.is(200);
    let shown = page["tokens"][1]["name"].as_str().unwrap();
    served.post("/api/v1/token/revoke", &served.admin, &json!({ "token": shown })).await.is(200);
    let next = page["next"].as_str().unwrap();
    let rest = served.get(&format!("/api/v1/token/list?cursor={next}"), &served.admin).await.is(200);
    assert_eq!(rest["tokens"].as_array().unwrap().len(), 3, "{rest}");
    assert_eq!(served.stop().await, Some(0));
}

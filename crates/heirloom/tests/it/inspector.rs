//! The inspector's page: its files, what it must never do, and the operations it looks through.
//!
//! What a browser makes of it is the check of `.ci/inspector`.

use std::path::Path;

use base64::Engine;
use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::served::{Served, answer};

const ASSETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/inspector");

/// What is no file of its own.
const IN_THE_PAGE: [&str; 2] = ["index.html", "style.css"];

fn assets() -> Vec<(String, String)> {
    let read = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, std::fs::read_to_string(entry.path()).unwrap())
    };
    std::fs::read_dir(ASSETS).unwrap().map(|entry| read(entry.unwrap())).collect()
}

#[test]
fn what_a_memory_says_never_becomes_markup() {
    let ways = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "createContextualFragment",
        "eval(",
        "new Function",
        "srcdoc",
        "javascript:",
        "setHTML",
        "parseHTML",
        "http://",
        "https://",
    ];
    for (name, text) in assets() {
        // The names of vocabularies, and the pattern that tells a link in provenance.
        let text = text.replace("http://www.w3.org/2000/svg", "").replace("^https?:\\/\\/", "");
        for way in ways {
            assert!(!text.contains(way), "{name} says {way}");
        }
    }
}

#[test]
fn files_are_small_and_each_is_served() {
    let listed = include_str!("../../src/http/inspector.rs");
    let all = assets();
    for (name, text) in &all {
        assert!(text.lines().count() <= 800, "{name}");
        let quoted = if IN_THE_PAGE.contains(&name.as_str()) { format!("/{name}\"") } else { format!("\"{name}\"") };
        assert!(listed.contains(&quoted), "{name} is not served");
        if name.ends_with(".js") {
            for import in text.split(" from \"./").skip(1) {
                let file = import.split('"').next().unwrap();
                assert!(Path::new(ASSETS).join(file).exists(), "{name} imports {file}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_served_at_its_views_and_takes_no_other_path() {
    let served = Served::new().await;
    let page = served.get("/", "").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'self';") && policy.contains("require-trusted-types-for 'script'"),
        "{policy}"
    );
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-cache")]
    {
        assert_eq!(page.header(name), Some(value));
    }
    for view in [
        "/memories",
        "/memories/team:a/00000000-0000-4000-8000-000000000000",
        "/migrations",
        "/migrations/x",
        "/insight",
        "/activity",
        "/sign-in",
    ] {
        assert_eq!(served.get(view, "").await.text, page.text, "{view}");
    }
    for path in [
        "/api/v1/nothing",
        "/api/v1",
        "/nothing",
        "/memories/a/b/c",
        "/inspector/x/nothing.js",
        "/inspector/x/..%2findex.html",
    ] {
        let none = served.get(path, &served.admin).await;
        assert_eq!((none.status, none.header("content-type")), (404, Some("application/problem+json")), "{path}");
    }
    let posted = answer(served.request(Method::POST, "/", "")).await;
    assert_eq!(posted.status, 405);
    for (path, kind) in [
        ("/metrics", "text/plain; version=0.0.4"),
        ("/api/v1/openapi.json", "application/json"),
        ("/v1/health", "application/json"),
    ] {
        assert_eq!(served.get(path, &served.admin).await.header("content-type"), Some(kind), "{path}");
    }
    let file = page.text.split("src=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let script = served.get(&file, "").await;
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert!(script.header("cache-control").unwrap().contains("immutable"));
    let tag = script.header("etag").unwrap().to_owned();
    let again = answer(served.request(Method::GET, &file, "").header("if-none-match", &tag)).await;
    assert_eq!((again.status, again.text.len()), (304, 0));
    let other = served.get("/inspector/0123/app.js", "").await;
    assert_eq!((other.status, other.header("cache-control")), (200, Some("no-cache")));
    // The stylesheet is let in by its digest alone: nothing else inline is.
    let style = page.text.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let digest = base64::prelude::BASE64_STANDARD.encode(Sha256::digest(style));
    assert!(
        policy.ends_with(&format!("; style-src 'self' 'sha256-{digest}'")) && !policy.contains("unsafe"),
        "{policy}"
    );
    let listed = page.text.split("name=\"modules\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    let modules = assets().iter().filter(|(name, _)| name.ends_with(".js") && name != "start.js").count();
    assert_eq!(listed.split(' ').count(), modules, "{listed}");
    let whole = served.request(Method::GET, "/", "").header("accept-encoding", "gzip").send().await.unwrap();
    let mut packed = whole.bytes().await.unwrap().len();
    for (name, text) in assets() {
        let request =
            served.request(Method::GET, &format!("/inspector/x/{name}"), "").header("accept-encoding", "br, gzip");
        let response = request.send().await.unwrap();
        if IN_THE_PAGE.contains(&name.as_str()) {
            assert_eq!(response.status(), 404, "{name}");
            continue;
        }
        assert_eq!(response.headers()["content-encoding"], "gzip", "{name}");
        let bytes = response.bytes().await.unwrap();
        assert!(bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() < text.len(), "{name}");
        packed += bytes.len();
    }
    assert!(packed <= 150_000, "{packed} bytes are more than the page may weigh");
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_asks_is_told_to_each_of_its_own() {
    let served = Served::new().await;
    let (a, b) = (served.token("a", "write", &["team:a", "team:lab.*"]), served.token("b", "read", &["team:b"]));
    let remember = |namespace: &str, content: &str| json!({ "content": content, "namespace": namespace });
    let made = served.post("/api/v1/remember", &a, &remember("team:a", "the staging database")).await.is(201);
    served.post("/api/v1/remember", &a, &remember("team:lab.one", "a note")).await.is(201);
    let id = made["id"].as_str().unwrap();

    let me = served.get("/api/v1/whoami", &a).await.is(200);
    assert_eq!((&me["name"], &me["rights"]), (&json!("a"), &json!(["read", "write"])));
    assert_eq!(served.get("/api/v1/whoami", &served.admin).await.is(200)["rights"], json!(["read", "write", "admin"]));
    let names = |answer: &serde_json::Value| -> Vec<String> {
        answer["namespaces"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&served.get("/api/v1/namespaces", &a).await.is(200)), ["team:a", "team:lab.one"]);
    let other = served.get("/api/v1/namespaces", &b).await.is(200);
    assert!(names(&other).is_empty(), "{other}");
    assert_eq!(other["empty"], json!(["team:b"]));

    let kept = json!({ "id": id, "namespace": "team:a", "pin": true });
    assert_eq!(served.post("/api/v1/keep", &b, &kept).await.status, 403);
    assert_eq!(served.post("/api/v1/keep", &a, &kept).await.is(200)["pin"], true);
    for operation in ["history", "links", "origin"] {
        served.get(&format!("/api/v1/{operation}?id={id}&namespace=team:a"), &a).await.is(200);
        assert_eq!(served.get(&format!("/api/v1/{operation}?id={id}&namespace=team:a"), &b).await.status, 403);
        assert_eq!(served.get(&format!("/api/v1/{operation}?id={id}"), &b).await.status, 404, "{operation}");
    }
    let origin = served.get(&format!("/api/v1/origin?id={id}&namespace=team:a"), &a).await.is(200);
    assert!(origin.get("origin").is_none() && origin["memory"].get("lesson_id").is_none(), "{origin}");

    served.get("/api/v1/recall?query=staging&namespaces=team:a", &a).await.is(200);
    let stats = served.get("/api/v1/stats?namespaces=team:a", &a).await.is(200);
    assert_eq!((&stats["memories"], &stats["pinned"], &stats["recalls"][0]["hits"]), (&json!(1), &json!(1), &json!(1)));
    let apart = served.get("/api/v1/stats?namespaces=team:b", &b).await.is(200);
    assert_eq!((&apart["memories"], &apart["recalls"]), (&json!(0), &json!([])));
    let listed = served.get("/api/v1/list?namespaces=team:a&text=STAGING&pinned=true&marks=10", &a).await.is(200);
    assert_eq!((&listed["total"], &listed["marks"]), (&json!(1), &json!([])));

    for operation in ["run/show", "run/compare", "run/evidence", "run/retry", "status", "rejects/list"] {
        let body = json!({});
        assert_eq!(served.post(&format!("/api/v1/{operation}"), &a, &body).await.status, 403, "{operation}");
    }
    let forget = json!({ "id": id, "namespace": "team:a", "reason": "wrong" });
    served.post("/api/v1/forget", &a, &forget).await.is(200);
    let left = served.get(&format!("/api/v1/history?id={id}&namespace=team:a"), &a).await.is(200);
    assert_eq!(left["forgotten"]["reason"], "wrong");
    assert!(!left.to_string().contains("staging"), "{left}");
    assert_eq!(served.stop().await, Some(0));
}

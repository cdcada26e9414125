//! The visibility matrix at the doors of the binary, by real clients: `/api/v1/recall`, MCP and the memory plugin show each
//! cell or not as docs/reference/visibility.md says. The functions of SQL are held by the store's own test.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::agent::{Agent, data};
use crate::legacy::Legacy;
use crate::served::Served;

#[path = "../../../heirloom-store/tests/it/matrix.rs"]
mod matrix;

use matrix::{Cell, door};

/// That a door showed these, and which they should have been.
#[track_caller]
fn holds(cells: &[Cell], ghosts: bool, found: &Value, field: &str, what: &str) {
    let list = found.as_array().unwrap_or_else(|| panic!("{what}: {found}"));
    let shown: BTreeSet<usize> = list.iter().filter_map(|one| matrix::number(one[field].as_str()?)).collect();
    assert_eq!(shown.len(), list.len(), "{what}: {found}");
    for (n, cell) in (1..).zip(cells) {
        assert_eq!(shown.contains(&n), cell.is_shown(ghosts, false), "{}: {what}, ghosts {ghosts}", cell.name);
    }
}

/// By words, by a script without spaces, by a vector, and by words and a vector.
fn questions() -> [Value; 4] {
    [
        json!({ "query": "xyzzy" }),
        json!({ "query": "東京" }),
        json!({ "embedding": [1] }),
        json!({ "query": "xyzzy", "embedding": [1] }),
    ]
}

fn with(question: &Value, more: Value) -> Value {
    let mut all = question.as_object().unwrap().clone();
    all.extend(more.as_object().unwrap().clone());
    Value::Object(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_is_recalled_or_not_as_the_page_says_over_http_mcp_and_the_plugin() {
    let cells = matrix::cells();
    let legacy = Legacy::new("select 1").await;
    legacy.ends(0, "up");
    legacy.sql(&matrix::written(&cells)).await;
    let made = "token create reader -n project:1 -n project:3 --right read --json";
    let token = legacy.ends(0, made).json()["secret"].as_str().unwrap().to_owned();
    let login = legacy.login().await;
    let mut variables = legacy.variables();
    if let Some(login) = &login {
        variables.push(("DATABASE_URL", login));
    }
    let served = Served::spawn(legacy.home.clone(), &["serve", "--listen", "127.0.0.1:0"], &variables);
    let own = Agent::http(&format!("{}/mcp", served.url), &token).await;
    let pgmnemo = Agent::http(&format!("{}/mcp?tools=pgmnemo", served.url), &token).await;

    let (api, mcp) = (door("`/api/v1/recall`"), door("MCP, `recall`"));
    assert_eq!((api, mcp), ((true, false), (true, false)));
    for question in questions() {
        for ghosts in [false, true] {
            let more = json!({ "limit": 1_000, "include_unverified": ghosts });
            for namespaces in [json!([]), json!(["project:1", "project:3"])] {
                let asked = with(&with(&question, more.clone()), json!({ "namespaces": namespaces }));
                let found = served.post("/api/v1/recall", &token, &asked).await.is(200);
                holds(&cells, ghosts, &found["hits"], "id", &format!("/api/v1/recall {asked}"));
                let found = data(&own.done("recall", asked.clone()).await);
                holds(&cells, ghosts, &found["hits"], "id", &format!("MCP {asked}"));
            }
        }
        // Another's is no cell that could show: to name it is refused, whatever is in it.
        let foreign = with(&question, json!({ "namespaces": ["project:1", "project:2"] }));
        assert_eq!(served.post("/api/v1/recall", &token, &foreign).await.is(403)["code"], "forbidden");
        assert!(own.refused("recall", foreign).await.contains("project:2"));
    }
    for ghosts in ["false", "true"] {
        let path = format!("/api/v1/recall?query=xyzzy&limit=1000&include_unverified={ghosts}");
        holds(&cells, ghosts == "true", &served.get(&path, &token).await.is(200)["hits"], "id", &path);
    }

    assert_eq!(door("MCP, `pgmnemo.recall`"), (false, false));
    for query in ["xyzzy", "東京"] {
        let mut all = Vec::new();
        for project in [1, 3] {
            let asked = json!({ "query": query, "top_k": 100, "project_id_filter": project });
            all.extend(data(&pgmnemo.done("pgmnemo.recall", asked).await).as_array().unwrap().clone());
        }
        holds(&cells, false, &Value::Array(all), "topic", &format!("pgmnemo.recall {query}"));
        let foreign = json!({ "query": query, "project_id_filter": 2 });
        assert!(pgmnemo.refused("pgmnemo.recall", foreign).await.contains("project:2"));
    }

    assert_eq!(door("memory plugin, `/v1/search`"), (false, false));
    for question in questions().into_iter().chain([json!({})]) {
        let asked = with(&question, json!({ "namespaces": ["project:1", "project:3"], "limit": 100 }));
        let found = served.post("/v1/search", &token, &asked).await.is(200);
        holds(&cells, false, &found["memories"], "id", &format!("/v1/search {asked}"));
        let foreign = with(&asked, json!({ "namespaces": ["project:1", "project:2"] }));
        assert_eq!(served.post("/v1/search", &token, &foreign).await.is(403)["code"], "forbidden");
    }
    own.end().await;
    pgmnemo.end().await;
    assert_eq!(served.stop().await, Some(0));
    legacy.close().await;
}

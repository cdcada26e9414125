//! The memory plugin's contract over real HTTP. Each function named `item_…` holds one line of the platform's list of what a
//! compatible server must do; `better_…` one where we do better and the answer therefore differs.

use serde_json::{Value, json};

use crate::door::{Door, without_times};

/// Puts, commits and searches in one namespace.
struct Plugin<'s>(&'s Door);

impl Plugin<'_> {
    async fn commit(&self, namespace: &str, body: Value) -> Value {
        self.0.ask("POST", &format!("/v1/namespaces/{namespace}/memories"), &body.to_string()).await.is(201)
    }

    async fn fact(&self, namespace: &str, content: &str) -> String {
        let body = json!({ "content": content, "kind": "fact", "source": "agent" });
        self.commit(namespace, body).await["id"].as_str().unwrap().to_owned()
    }

    async fn search(&self, body: Value) -> Vec<Value> {
        let found = self.0.ask("POST", "/v1/search", &body.to_string()).await.is(200);
        found["memories"].as_array().unwrap_or_else(|| panic!("no list: {found}")).clone()
    }

    async fn contents(&self, body: Value) -> Vec<String> {
        self.search(body).await.iter().map(|memory| memory["content"].as_str().unwrap().to_owned()).collect()
    }

    async fn forget(&self, namespace: &str, id: &str) -> u16 {
        let body = json!({ "requested_by_namespace": namespace }).to_string();
        self.0.ask("DELETE", &format!("/v1/memories/{id}"), &body).await.status
    }
}

fn id(n: u8) -> String {
    format!("0b000000-0000-4000-8000-0000000000{n:02x}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_byte_for_byte() {
    let served = Door::open().await;
    let mut transcript = String::new();
    let long = format!("team:{}", "a".repeat(252));
    for (method, path, body) in [
        ("GET", "/v1/health", ""),
        ("PUT", "/v1/namespaces/team:gold", r#"{"kind":"team"}"#),
        (
            "PUT",
            "/v1/namespaces/team%3Agold",
            r#"{"kind":"team","expires_at":"2099-01-02T03:04:05.5+02:00","metadata":{"a":{"b":null}}}"#,
        ),
        ("PATCH", "/v1/namespaces/team:gold", r#"{"metadata":{}}"#),
        ("PATCH", "/v1/namespaces/team:gold", r#"{"expires_at":null}"#),
        ("PATCH", "/v1/namespaces/team:gold", "{}"),
        ("PATCH", "/v1/namespaces/team:none", r#"{"metadata":{"a":1}}"#),
        ("PUT", "/v1/namespaces/gold", r#"{"kind":"team"}"#),
        ("PUT", &format!("/v1/namespaces/{long}"), r#"{"kind":"team"}"#),
        ("PUT", "/v1/namespaces/team:gold", r#"{"kind":"club"}"#),
        ("PUT", "/v1/namespaces/team:gold", "{}"),
        ("PUT", "/v1/namespaces/team:gold", ""),
        ("PUT", "/v1/namespaces/", r#"{"kind":"team"}"#),
        ("GET", "/v1/namespaces/team:gold", ""),
        (
            "POST",
            "/v1/namespaces/team:gold/memories",
            r#"{"id":"0B000000-0000-4000-8000-000000000001","content":"a < b & c > d","kind":"fact","source":"user"}"#,
        ),
        (
            "POST",
            "/v1/namespaces/team:gold/memories",
            r#"{"id":"0b000000-0000-4000-8000-000000000002","content":"all of it","kind":"summary","source":"runtime","pin":true,"expires_at":"2099-01-01T00:00:00Z","propagation":{"to":["x",null,{"y":1.50}]}}"#,
        ),
        ("POST", "/v1/search", r#"{"namespaces":["team:gold"]}"#),
        ("POST", "/v1/search", r#"{"namespaces":["team:silver"]}"#),
        ("POST", "/v1/search", r#"{"namespaces":[]}"#),
        ("POST", "/v1/search", r#"{"namespaces":["team:gold","Team:x"]}"#),
        ("POST", "/v1/search", r#"{"namespaces":["team:gold"],"limit":101}"#),
        ("POST", "/v1/search", r#"{"namespaces":["team:gold"],"limit":-1}"#),
        ("POST", "/v1/search", r#"{"namespaces":["team:gold"],"kinds":["fact","lesson"]}"#),
        ("POST", "/v1/search", r#"{"namespaces":["team:gold"],"embedding":[0,0]}"#),
        ("POST", "/v1/namespaces/team:gold/memories", r#"{"content":" \n","kind":"fact","source":"user"}"#),
        ("POST", "/v1/namespaces/team:gold/memories", r#"{"content":"x","kind":"lesson","source":"user"}"#),
        ("POST", "/v1/namespaces/team:gold/memories", r#"{"content":"x","kind":"fact","source":"imported"}"#),
        ("POST", "/v1/namespaces/team:gold/memories", r#"{"content":"x","kind":"fact","source":"user","id":"7"}"#),
        (
            "POST",
            "/v1/namespaces/team:gold/memories",
            r#"{"content":"x","kind":"fact","source":"user","expires_at":"tomorrow"}"#,
        ),
        ("DELETE", "/v1/memories/", r#"{"requested_by_namespace":"team:gold"}"#),
        ("DELETE", "/v1/memories/0b000000-0000-4000-8000-000000000001", ""),
        ("DELETE", "/v1/memories/0b000000-0000-4000-8000-000000000001", "{}"),
        ("DELETE", "/v1/memories/0b000000-0000-4000-8000-000000000001", r#"{"requested_by_namespace":"team:silver"}"#),
        ("DELETE", "/v1/memories/seven", r#"{"requested_by_namespace":"team:gold"}"#),
        ("DELETE", "/v1/memories/0b000000-0000-4000-8000-000000000001", r#"{"requested_by_namespace":"team:gold"}"#),
        ("DELETE", "/v1/memories/0b000000-0000-4000-8000-000000000001", r#"{"requested_by_namespace":"team:gold"}"#),
        ("DELETE", "/v1/namespaces/team:gold", ""),
        ("DELETE", "/v1/namespaces/team:gold", ""),
        ("GET", "/v1/nothing", ""),
        ("POST", "/v1/health", ""),
        ("GET", "/v1/health/", ""),
        ("PUT", "/v1/namespaces/team%2Fgold", r#"{"kind":"team"}"#),
        ("PUT", "/v1/namespaces/team:gold%zz", r#"{"kind":"team"}"#),
    ] {
        let got = served.ask(method, path, body).await;
        let expected = (!got.text.is_empty()).then_some("application/json");
        assert_eq!(got.header("content-type"), expected, "{method} {path}");
        assert!(got.text.is_empty() == (got.status == 204) && (got.status == 204 || got.text.ends_with("}\n")));
        let path = path.replace(&long, "team:LONG");
        transcript.push_str(&format!(
            "{method} {path} {body}\n{} {}\n\n",
            got.status,
            without_times(got.text.trim_end())
        ));
    }
    insta::assert_snapshot!(transcript);
    assert_eq!(served.ask("HEAD", "/v1/health", "").await.status, 404);
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_what_a_compatible_plugin_must_do() {
    let served = Door::open().await;
    let plugin = Plugin(&served);
    item_02_health_is_live(&served).await;
    item_04_names(&served).await;
    item_05_limits(&plugin).await;
    item_06_lenient_json(&served).await;
    item_08_namespaces(&served).await;
    item_09_the_same_id_twice(&plugin).await;
    item_10_what_is_stored_is_returned(&plugin).await;
    item_11_expired_is_gone(&plugin).await;
    item_12_only_the_namespaces_named(&plugin).await;
    item_13_precedence(&plugin).await;
    item_14_words(&plugin).await;
    item_16_forgetting(&plugin).await;
    items_18_and_19_absent_null_empty_populated(&served).await;
    assert_eq!(served.stop().await, Some(0));
}

/// Items 1 and 3, 7 are the transcript above; 15, 17 and 20 the process of `compat_plugin_process`.
async fn item_02_health_is_live(served: &Door) {
    let health = served.ask("GET", "/v1/health", "").await.is(200);
    let capabilities = ["fts", "embedding", "ttl", "pin", "propagation"];
    assert_eq!(health, json!({ "status": "ok", "version": "1.0.0", "capabilities": capabilities }));
}

async fn item_04_names(served: &Door) {
    let put = async |name: &str| served.ask("PUT", &format!("/v1/namespaces/{name}"), r#"{"kind":"custom"}"#).await;
    let longest = format!("custom:{}", "x".repeat(249));
    for good in ["a:b", "custom:A.b-c_d:e", "team%3Ax", &longest] {
        put(good).await.is(200);
    }
    for bad in ["a", "a:", ":a", "A:b", "a1:b", "a:b%20c", "a:b%0A", "a:%C3%A9", "a:b%00", &format!("{longest}x")] {
        let refused = put(bad).await.is(400);
        assert_eq!(
            (&refused["code"], &refused["details"]["field"]),
            (&json!("bad_request"), &json!("namespace")),
            "{bad}"
        );
    }
    let body = r#"{"namespaces":["a:b","a:b\n"]}"#;
    let refused = served.ask("POST", "/v1/search", body).await.is(400);
    assert!(refused["message"].as_str().unwrap().starts_with("namespaces[1]: "), "{refused}");
}

async fn item_05_limits(plugin: &Plugin<'_>) {
    for n in 0..22 {
        plugin.fact("team:limits", &format!("number {n}")).await;
    }
    for (limit, expected) in [(json!(0), 20), (Value::Null, 20), (json!(1), 1), (json!(100), 22)] {
        let found = plugin.search(json!({ "namespaces": ["team:limits"], "limit": limit })).await;
        assert_eq!(found.len(), expected, "{limit}");
    }
}

async fn item_06_lenient_json(served: &Door) {
    let post = async |body: &str| served.ask("POST", "/v1/namespaces/team:lenient/memories", body).await;
    for good in [
        r#"{"CONTENT":"a","Kind":"fact","source":"agent","more":{"x":1}}"#,
        r#"{"content":"a","kind":"fact","source":"agent","pin":null,"id":null,"expires_at":null,"embedding":null}"#,
        r#"{"content":"a","kind":"fact","source":"agent"} and more"#,
        r#"{"content":"a","kind":"fact","kind":"summary","source":"agent"}"#,
        r#"{"content":"half \ud83d a pair","kind":"fact","source":"agent"}"#,
        r#"{"content":"a","kind":"fact","source":"agent","expires_at":"2099-12-31T23:59:59.999999999-12:00"}"#,
    ] {
        post(good).await.is(201);
    }
    for bad in [
        "",
        "null",
        "[]",
        "7",
        "{",
        r#"{"content":7,"kind":"fact","source":"agent"}"#,
        r#"{"content":"a","kind":["fact"],"source":"agent"}"#,
        r#"{"content":"a","kind":"fact","source":"agent","pin":"yes"}"#,
        r#"{"content":"a","kind":"fact","source":"agent","propagation":[]}"#,
        r#"{"content":"a","kind":"fact","source":"agent","expires_at":"2099-12-31"}"#,
        r#"{"content":"a","kind":"fact","source":"agent","embedding":["1"]}"#,
        r#"{"content":"a\u0000b","kind":"fact","source":"agent"}"#,
        r#"{"content":"a","kind":"fact","source":"agent","propagation":{"a":"\u0000"}}"#,
    ] {
        let refused = post(bad).await.is(400);
        assert_eq!(refused["code"], "bad_request", "{bad}");
    }
    served.ask("POST", "/v1/search", r#"{"namespaces":["team:lenient"],"limit":1.0}"#).await.is(400);
    let huge = json!({ "content": "a".repeat(300 * 1024), "kind": "fact", "source": "agent" }).to_string();
    assert_eq!(post(&huge).await.is(400)["details"]["field"], "content");
    let larger = json!({ "content": "a".repeat(1 << 20), "kind": "fact", "source": "agent" }).to_string();
    assert_eq!(post(&larger).await.is(413)["code"], "bad_request");
    let wide = json!({ "content": "a", "kind": "fact", "source": "agent", "embedding": vec![0.5; 20_000] }).to_string();
    assert_eq!(post(&wide).await.is(400)["details"]["field"], "embedding");
}

async fn item_08_namespaces(served: &Door) {
    let path = "/v1/namespaces/team:kept";
    let made = served.ask("PUT", path, r#"{"kind":"team"}"#).await.is(200);
    served.ask("PATCH", path, r#"{"expires_at":"2099-01-01T00:00:00Z","metadata":{"a":1}}"#).await.is(200);
    // Better: a put that does not mention them leaves end and note as they are.
    let again = served.ask("PUT", path, r#"{"kind":"team"}"#).await.is(200);
    assert_eq!(again["created_at"], made["created_at"]);
    assert_eq!((&again["expires_at"], &again["metadata"]), (&json!("2099-01-01T00:00:00Z"), &json!({ "a": 1 })));
    let patched = served.ask("PATCH", path, r#"{"expires_at":null,"metadata":{"b":2}}"#).await.is(200);
    assert_eq!((patched.get("expires_at"), &patched["metadata"]), (None, &json!({ "b": 2 })));
    let body = json!({ "content": "gone with it", "kind": "fact", "source": "agent" }).to_string();
    served.ask("POST", &format!("{path}/memories"), &body).await.is(201);
    served.ask("DELETE", path, "").await.is(204);
    let found = served.ask("POST", "/v1/search", r#"{"namespaces":["team:kept"]}"#).await.is(200);
    assert_eq!(found, json!({ "memories": [] }));
    served.ask("PATCH", path, r#"{"metadata":{"b":2}}"#).await.is(404);
}

async fn item_09_the_same_id_twice(plugin: &Plugin<'_>) {
    let body = |content: &str| json!({ "id": id(9), "content": content, "kind": "fact", "source": "agent" });
    let first = plugin.commit("team:twice", body("one")).await;
    assert_eq!(first, json!({ "id": id(9), "namespace": "team:twice" }));
    let made = plugin.search(json!({ "namespaces": ["team:twice"] })).await;
    plugin.commit("team:twice", body("one")).await;
    plugin.commit("team:twice", body("two")).await;
    let found = plugin.search(json!({ "namespaces": ["team:twice"] })).await;
    assert_eq!((found.len(), &found[0]["content"]), (1, &json!("two")));
    assert_eq!(found[0]["created_at"], made[0]["created_at"]);
    // Better: an id is not carried off into another namespace, and what was forgotten stays forgotten.
    let refused = plugin.0.ask("POST", "/v1/namespaces/team:thief/memories", &body("mine").to_string()).await.is(409);
    assert_eq!(refused["code"], "bad_request");
    assert_eq!(plugin.forget("team:twice", &id(9)).await, 204);
    plugin.0.ask("POST", "/v1/namespaces/team:twice/memories", &body("back").to_string()).await.is(409);
    assert_ne!(plugin.fact("team:twice", "three").await, plugin.fact("team:twice", "three").await);
}

async fn item_10_what_is_stored_is_returned(plugin: &Plugin<'_>) {
    let propagation = json!({ "a": null, "b": { "c": [1, 2.5, "<x>", null] }, "é": "\u{2028}" });
    let body = json!({
        "content": "x", "kind": "checkpoint", "source": "runtime", "pin": true,
        "expires_at": "2098-07-06T05:04:03.000002+01:00", "propagation": propagation,
    });
    plugin.commit("team:whole", body).await;
    let found = plugin.search(json!({ "namespaces": ["team:whole"] })).await.remove(0);
    assert_eq!(
        (&found["kind"], &found["source"], &found["pin"]),
        (&json!("checkpoint"), &json!("runtime"), &json!(true))
    );
    assert_eq!((&found["expires_at"], &found["propagation"]), (&json!("2098-07-06T04:04:03.000002Z"), &propagation));
    assert!(found["created_at"].as_str().unwrap().ends_with('Z') && found.get("score").is_none());
    // The same by words.
    let found = plugin.search(json!({ "namespaces": ["team:whole"], "query": "x" })).await.remove(0);
    assert_eq!((&found["propagation"], &found["expires_at"]), (&propagation, &json!("2098-07-06T04:04:03.000002Z")));
    // Better: a writer that knows when it was says so.
    let body = json!({ "content": "old", "kind": "fact", "source": "user", "created_at": "2020-01-01T00:00:00Z" });
    plugin.commit("team:whole", body).await;
    assert_eq!(plugin.search(json!({ "namespaces": ["team:whole"] })).await[1]["created_at"], "2020-01-01T00:00:00Z");
}

async fn item_11_expired_is_gone(plugin: &Plugin<'_>) {
    let body = json!({ "id": id(11), "content": "brief words", "kind": "fact", "source": "agent", "expires_at": "2001-01-01T00:00:00Z" });
    plugin.commit("team:brief", body).await;
    for query in ["", "brief", "rief wo"] {
        assert!(plugin.search(json!({ "namespaces": ["team:brief"], "query": query })).await.is_empty(), "{query}");
    }
    assert_eq!(plugin.forget("team:brief", &id(11)).await, 204);
    // Better: a namespace ends, too.
    plugin.fact("team:ended", "still here").await;
    let end = r#"{"kind":"team","expires_at":"2001-01-01T00:00:00Z"}"#;
    plugin.0.ask("PUT", "/v1/namespaces/team:ended", end).await.is(200);
    assert!(plugin.search(json!({ "namespaces": ["team:ended"] })).await.is_empty());
    let body = json!({ "content": "x", "kind": "fact", "source": "agent" }).to_string();
    plugin.0.ask("POST", "/v1/namespaces/team:ended/memories", &body).await.is(409);
}

async fn item_12_only_the_namespaces_named(plugin: &Plugin<'_>) {
    for (namespace, kind) in [("team:one", "fact"), ("team:two", "summary"), ("team:three", "fact")] {
        let body = json!({ "content": format!("word of {namespace}"), "kind": kind, "source": "agent" });
        plugin.commit(namespace, body).await;
    }
    for query in ["", "word"] {
        let body = json!({ "namespaces": ["team:one", "team:two", "team:one"], "query": query });
        let mut found = plugin.contents(body).await;
        found.sort();
        assert_eq!(found, ["word of team:one", "word of team:two"]);
        let body = json!({ "namespaces": ["team:one", "team:two"], "kinds": ["summary"], "query": query });
        assert_eq!(plugin.contents(body).await, ["word of team:two"]);
    }
}

async fn item_13_precedence(plugin: &Plugin<'_>) {
    let write = async |content: &str, pin: bool, embedding: &[f32]| {
        let body = json!({ "content": content, "kind": "fact", "source": "agent", "pin": pin, "embedding": embedding });
        plugin.commit("team:order", body).await;
    };
    write("first east", true, &[1.0, 0.0]).await;
    write("second north", false, &[0.0, 1.0]).await;
    write("third east", false, &[]).await;
    let ask = async |query: &str, embedding: &[f32]| {
        let body = json!({ "namespaces": ["team:order"], "query": query, "embedding": embedding });
        plugin.search(body).await
    };
    let contents = |found: &[Value]| -> Vec<String> {
        found.iter().map(|memory| memory["content"].as_str().unwrap().to_owned()).collect()
    };
    let recent = ask("", &[]).await;
    assert_eq!(contents(&recent), ["first east", "third east", "second north"]);
    assert!(recent.iter().all(|memory| memory.get("score").is_none()));
    let mut words = contents(&ask("east", &[]).await);
    words.sort();
    assert_eq!(words, ["first east", "third east"]);
    // Item 15: cosine; what has no vector is left out. Better: a score is 0 to 1, what points away is no answer.
    let near = ask("", &[0.6, 0.8]).await;
    assert_eq!(contents(&near), ["second north", "first east"]);
    for (memory, score) in near.iter().zip([0.8, 0.6]) {
        assert!((memory["score"].as_f64().unwrap() - score).abs() < 1e-6, "{memory}");
    }
    assert_eq!(contents(&ask("", &[1.0, 0.0]).await), ["first east"]);
    assert_eq!(ask("", &[1.0, 0.0]).await[0]["score"], 1);
    // Better: both are one question.
    let both = ask("east", &[0.0, 1.0]).await;
    assert_eq!(both.len(), 3, "{both:?}");
    assert!(both.iter().all(|memory| (0.0..=1.0).contains(&memory["score"].as_f64().unwrap())));
}

async fn item_14_words(plugin: &Plugin<'_>) {
    plugin.fact("team:words", "The team prefers tabs over spaces").await;
    plugin.fact("team:words", "Spaces are for the weekend").await;
    plugin.fact("team:words", "我们使用制表符缩进代码").await;
    plugin.fact("team:words", "100% of it, under_scored").await;
    let ask = async |query: &str| plugin.contents(json!({ "namespaces": ["team:words"], "query": query })).await;
    assert_eq!(ask("tabs").await, ["The team prefers tabs over spaces"]);
    assert_eq!(ask("preferring tab").await[0], "The team prefers tabs over spaces");
    // Better: what has all words comes first, what has some comes too.
    assert_eq!(ask("tabs spaces").await, ["The team prefers tabs over spaces", "Spaces are for the weekend"]);
    // Better: words of no language, parts of words and signs are found; no sign has another meaning.
    assert_eq!(ask("制表符").await, ["我们使用制表符缩进代码"]);
    assert_eq!(ask("weeken").await, ["Spaces are for the weekend"]);
    assert_eq!(ask("%").await, ["100% of it, under_scored"]);
    assert_eq!(ask("_").await, ["100% of it, under_scored"]);
    assert!(ask("\\").await.is_empty() && ask("zebra").await.is_empty());
    let scores: Vec<f64> = plugin
        .search(json!({ "namespaces": ["team:words"], "query": "tabs spaces" }))
        .await
        .iter()
        .map(|memory| memory["score"].as_f64().unwrap())
        .collect();
    assert!(scores[0] > scores[1] && scores[0] <= 1.0 && scores[1] > 0.0, "{scores:?}");
}

async fn item_16_forgetting(plugin: &Plugin<'_>) {
    let memory = plugin.fact("team:mine", "to be forgotten").await;
    assert_eq!(plugin.forget("team:other", &memory).await, 404);
    assert_eq!(plugin.forget("team:mine", &id(0xee)).await, 404);
    assert_eq!(plugin.search(json!({ "namespaces": ["team:mine"] })).await.len(), 1);
    assert_eq!(plugin.forget("team:mine", &memory.to_uppercase()).await, 204);
    assert_eq!(plugin.forget("team:mine", &memory).await, 404);
    assert!(plugin.search(json!({ "namespaces": ["team:mine"], "query": "forgotten" })).await.is_empty());
}

/// The matrix of the platform's outage of 2026-05-24: each of four kinds of nothing and something, in both places.
async fn items_18_and_19_absent_null_empty_populated(served: &Door) {
    for (n, (said, shown)) in
        [("", None), ("null", None), ("{}", None), (r#"{"k":"v"}"#, Some(json!({ "k": "v" })))].into_iter().enumerate()
    {
        let member = |name: &str| if said.is_empty() { String::new() } else { format!(r#","{name}":{said}"#) };
        let path = format!("/v1/namespaces/team:matrix{n}");
        let put = served.ask("PUT", &path, &format!(r#"{{"kind":"team"{}}}"#, member("metadata"))).await.is(200);
        assert_eq!(put.get("metadata"), shown.as_ref(), "{said}");
        let body = format!(r#"{{"content":"c","kind":"fact","source":"agent"{}}}"#, member("propagation"));
        served.ask("POST", &format!("{path}/memories"), &body).await.is(201);
        let body = json!({ "namespaces": [format!("team:matrix{n}")] }).to_string();
        let found = served.ask("POST", "/v1/search", &body).await.is(200);
        assert_eq!(found["memories"][0].get("propagation"), shown.as_ref(), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_writers_at_once_lose_nothing() {
    let served = std::sync::Arc::new(Door::open().await);
    let writers: Vec<_> = (0..100)
        .map(|n| {
            let served = served.clone();
            tokio::spawn(async move {
                // Half of them meet on one id each; all of them make the namespace.
                let shared = n % 50;
                let own = json!({ "content": format!("own {n}"), "kind": "fact", "source": "agent" });
                let met = json!({ "id": format!("0c000000-0000-4000-8000-0000000000{shared:02x}"),
                    "content": format!("met {shared}"), "kind": "fact", "source": "agent" });
                for body in [own, met] {
                    served.ask("POST", "/v1/namespaces/team:crowd/memories", &body.to_string()).await.is(201);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let plugin = Plugin(&served);
    let own = plugin.search(json!({ "namespaces": ["team:crowd"], "limit": 100 })).await;
    assert_eq!(own.len(), 100);
    let listed = served.run("list -n team:crowd --limit 1000 --json");
    assert_eq!(listed.json()["items"].as_array().unwrap().len(), 150, "{listed}");
    let served = std::sync::Arc::into_inner(served).unwrap();
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_learns_nothing_of_another_tenant() {
    let served = Door::start("serve --listen 127.0.0.1:0", &[]).await;
    let a = served.token("a -n team:a --right write");
    let b = served.token("b -n team:b --right write");
    let reader = served.token("reader -n team:a");
    let write = json!({ "id": id(1), "content": "a secret plan", "kind": "fact", "source": "agent" }).to_string();
    let as_a = async |method: &str, path: &str, body: &str| served.ask_as(&a, method, path, body).await;
    let as_b = async |method: &str, path: &str, body: &str| served.ask_as(&b, method, path, body).await;
    as_a("POST", "/v1/namespaces/team:a/memories", &write).await.is(201);

    // There or not there: the same answer.
    for (there, nowhere) in [
        (as_b("DELETE", "/v1/namespaces/team:a", "").await, as_b("DELETE", "/v1/namespaces/team:z", "").await),
        (
            as_b("PUT", "/v1/namespaces/team:a", r#"{"kind":"team"}"#).await,
            as_b("PUT", "/v1/namespaces/team:z", r#"{"kind":"team"}"#).await,
        ),
        (
            as_b("POST", "/v1/search", r#"{"namespaces":["team:a"]}"#).await,
            as_b("POST", "/v1/search", r#"{"namespaces":["team:z"]}"#).await,
        ),
        (
            as_b("POST", "/v1/search", r#"{"namespaces":["team:b","team:a"],"query":"plan"}"#).await,
            as_b("POST", "/v1/search", r#"{"namespaces":["team:b","team:z"],"query":"plan"}"#).await,
        ),
        (
            as_b("DELETE", &format!("/v1/memories/{}", id(1)), r#"{"requested_by_namespace":"team:a"}"#).await,
            as_b("DELETE", &format!("/v1/memories/{}", id(2)), r#"{"requested_by_namespace":"team:z"}"#).await,
        ),
    ] {
        assert_eq!(
            (there.is(403)["code"].as_str(), nowhere.is(403)["code"].as_str()),
            (Some("forbidden"), Some("forbidden"))
        );
        assert_eq!(there.text, nowhere.text.replace("team:z", "team:a"));
    }
    let by_own = r#"{"requested_by_namespace":"team:b"}"#;
    let there = as_b("DELETE", &format!("/v1/memories/{}", id(1)), by_own).await;
    let nowhere = as_b("DELETE", &format!("/v1/memories/{}", id(2)), by_own).await;
    assert_eq!((there.status, &there.text), (404, &nowhere.text));
    assert_eq!(
        as_b("POST", "/v1/search", r#"{"namespaces":["team:b"],"query":"secret plan"}"#).await.is(200)["memories"],
        json!([])
    );

    // Who may read may not write; who has no token is nobody; health asks for none.
    let body = r#"{"namespaces":["team:a"]}"#;
    assert_eq!(
        served.ask_as(&reader, "POST", "/v1/search", body).await.is(200)["memories"].as_array().unwrap().len(),
        1
    );
    for (method, path, body) in [
        ("POST", "/v1/namespaces/team:a/memories", write.as_str()),
        ("PUT", "/v1/namespaces/team:a", r#"{"kind":"team"}"#),
        ("DELETE", "/v1/namespaces/team:a", ""),
    ] {
        served.ask_as(&reader, method, path, body).await.is(403);
        served.ask(method, path, body).await.is(401);
    }
    served.ask_as("hl_nonsense", "POST", "/v1/search", "{}").await.is(401);
    served.ask("GET", "/v1/health", "").await.is(200);
    assert_eq!(
        as_a("POST", "/v1/search", r#"{"namespaces":["team:a"]}"#).await.is(200)["memories"].as_array().unwrap().len(),
        1
    );
    let log = served.log();
    assert!(!log.contains("secret plan") && !log.contains(&a), "{log}");
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_second_of_9999_is_a_time_like_any_other() {
    let served = Door::open().await;
    let never = "9999-12-31T23:59:59Z";
    let put = json!({ "kind": "team", "expires_at": never }).to_string();
    assert_eq!(served.ask("PUT", "/v1/namespaces/team:a", &put).await.is(200)["expires_at"], never);
    let one = json!({ "content": "for good", "kind": "fact", "source": "user", "expires_at": never }).to_string();
    let id =
        served.ask("POST", "/v1/namespaces/team:a/memories", &one).await.is(201)["id"].as_str().unwrap().to_owned();
    let asked = json!({ "namespaces": ["team:a"], "query": "good" }).to_string();
    assert_eq!(served.ask("POST", "/v1/search", &asked).await.is(200)["memories"][0]["expires_at"], never);
    for words in [
        "remember -n team:a --expires-at 9999-12-31T23:59:59Z again",
        "list -n team:a --expiring-before 9999-12-31T23:59:59Z",
    ] {
        assert_eq!(served.run(words).code, 0, "{words}");
    }
    for end in [never, "infinity"] {
        let kept = served.run(&format!("keep {id} -n team:a --expires-at {end} --json"));
        assert_eq!(kept.json().get("expires_at").and_then(Value::as_str), (end == never).then_some(never), "{kept}");
    }
    let beyond = json!({ "content": "x", "kind": "fact", "source": "user", "expires_at": "9999-12-31T23:59:59-00:01" });
    let refused = served.ask("POST", "/v1/namespaces/team:a/memories", &beyond.to_string()).await.is(400);
    assert_eq!(refused["details"]["field"], "expires_at");
    assert_eq!(served.stop().await, Some(0));
}

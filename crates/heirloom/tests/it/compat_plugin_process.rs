//! `heirloom plugin` as the platform starts its own: by its variables, on an empty database.

use serde_json::json;

use crate::curl::curl;
use crate::door::Door;
use crate::support::Home;

/// Items 17 and 20: what the platform's boot test does to a plugin, by the program that it does it with.
#[tokio::test(flavor = "multi_thread")]
async fn items_17_and_20_the_boot_story_on_an_empty_database() {
    let variables = [
        ("MEMORY_PLUGIN_LISTEN_ADDR", "127.0.0.1:0"),
        ("MEMORY_PLUGIN_MIGRATIONS_DIR", "/nowhere"),
        // What the platform says to its server, which starts the plugin in its own environment.
        ("MEMORY_PLUGIN_TIMEOUT", "whenever"),
        ("MEMORY_PLUGIN_REQUIRED", "1"),
        ("MEMORY_PLUGIN_URL", "http://127.0.0.1:9100"),
    ];
    let served = Door::start("plugin", &variables).await;
    let ask = async |method: &str, path: &str, body: &str| curl(&served, method, path, body).await;
    let health = ask("GET", "/v1/health", "").await.is(200);
    assert_eq!((&health["status"], &health["version"]), (&json!("ok"), &json!("1.0.0")));
    assert_eq!(health["capabilities"], json!(["fts", "embedding", "ttl", "pin", "propagation"]));
    ask("PUT", "/v1/namespaces/workspace:boot", r#"{"kind":"workspace"}"#).await.is(200);
    let id = "0d000000-0000-4000-8000-000000000001";
    let body = json!({ "id": id, "content": "tabs over spaces", "kind": "fact", "source": "agent" }).to_string();
    for _ in 0..2 {
        let done = ask("POST", "/v1/namespaces/workspace:boot/memories", &body).await.is(201);
        assert_eq!(done, json!({ "id": id, "namespace": "workspace:boot" }));
    }
    let search = r#"{"namespaces":["workspace:boot"],"query":"tabs"}"#;
    let found = ask("POST", "/v1/search", search).await.is(200);
    assert_eq!((found["memories"].as_array().unwrap().len(), &found["memories"][0]["id"]), (1, &json!(id)));
    // Item 15: the platform's vectors are 1,536 wide.
    let mut vector = vec![0.0; 1_536];
    vector[1_535] = 1.0;
    let body = json!({ "content": "a point", "kind": "fact", "source": "agent", "embedding": vector }).to_string();
    ask("POST", "/v1/namespaces/workspace:boot/memories", &body).await.is(201);
    let near = json!({ "namespaces": ["workspace:boot"], "embedding": vector }).to_string();
    let near = ask("POST", "/v1/search", &near).await.is(200);
    assert_eq!((near["memories"].as_array().unwrap().len(), &near["memories"][0]["score"]), (1, &json!(1)));

    let forget = r#"{"requested_by_namespace":"workspace:boot"}"#;
    ask("DELETE", &format!("/v1/memories/{id}"), forget).await.is(204);
    assert_eq!(ask("POST", "/v1/search", search).await.is(200), json!({ "memories": [] }));
    ask("DELETE", "/v1/namespaces/workspace:boot", "").await.is(204);
    assert_eq!(ask("POST", "/v1/search", search).await.is(200), json!({ "memories": [] }));

    // Nothing else is here.
    for path in ["/", "/api/v1/list", "//v1/health", "/metrics", "/v1"] {
        let got = served.ask("GET", path, "").await;
        assert_eq!(got.is(404), json!({ "code": "not_found", "message": "no route" }), "{path}");
    }
    // A page of somebody else's in a browser of this machine is sent away.
    assert_eq!(served.ask_with("GET", "/v1/search", ("host", "evil.example:9100")).await.status, 403);
    assert_eq!(served.ask_with("POST", "/v1/search", ("origin", "https://evil.example")).await.status, 403);
    served.has_said("MEMORY_PLUGIN_MIGRATIONS_DIR is not read").await;
    let on_server = std::env::var_os("HEIRLOOM_TEST_URL").is_some();
    assert_eq!(served.log().contains("serves all the same: The database user"), on_server, "{}", served.log());
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_interface_is_for_this_machine_and_for_those_with_a_token() {
    let served = Door::start("plugin", &[("MEMORY_PLUGIN_LISTEN_ADDR", ":0")]).await;
    let log = served.log();
    // By both protocols, where the machine has both.
    let port = served.url().rsplit(':').next().unwrap().parse().unwrap();
    let here = |ip: std::net::IpAddr| std::net::TcpStream::connect((ip, port)).is_ok();
    let has_v6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    assert_eq!(
        (here([127, 0, 0, 1].into()), here(std::net::Ipv6Addr::LOCALHOST.into())),
        (true, has_v6),
        "{}",
        served.url()
    );
    served.ask_with("GET", "/v1/health", ("host", "localhost")).await.is(200);
    let got = served.ask_with("PUT", "/v1/namespaces/team:a", ("host", "localhost")).await;
    assert_eq!(got.is(400)["message"].as_str().unwrap().get(..12), Some("invalid JSON"));
    // By another name it needs a token, wherever the request comes from.
    assert_eq!(served.ask_with("PUT", "/v1/namespaces/team:a", ("host", "memory:9100")).await.status, 403);
    let token = served.token("platform -n team:* --right write");
    let got = served.ask_as(&token, "PUT", "/v1/namespaces/team:a", r#"{"kind":"team"}"#).await;
    got.is(200);
    assert!(served.log().contains("Requests from other machines need a token") || !log.is_empty());
    assert_eq!(served.stop().await, Some(0));

    let served = Door::start("plugin --no-auth", &[("MEMORY_PLUGIN_LISTEN_ADDR", ":0")]).await;
    let got = served.ask_with("PUT", "/v1/namespaces/team:a", ("host", "memory:9100")).await;
    got.is(400);
    assert_eq!(served.stop().await, Some(0));
}

#[test]
fn what_the_variables_cannot_mean_is_refused() {
    let home = Home::new();
    for (variables, words) in [
        (vec![("MEMORY_PLUGIN_DATABASE_URL", "mysql://u:hunter2@h/d")], "MEMORY_PLUGIN_DATABASE_URL: `mysql://…`"),
        (vec![("MEMORY_PLUGIN_DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/d")], "127.0.0.1:1"),
        (vec![("HEIRLOOM_DATA", "store"), ("MEMORY_PLUGIN_SKIP_MIGRATE", "1")], "There is no store in"),
    ] {
        let ran = home.run_with("plugin --listen 127.0.0.1:0", &variables);
        assert!([1, 4].contains(&ran.code) && ran.stderr.contains(words), "{ran}");
        assert!(!ran.stderr.contains("hunter2"), "{ran}");
    }
    let ran = home.run_with("plugin --listen nowhere", &[("HEIRLOOM_DATA", "store")]);
    assert!(ran.code == 1 && ran.stderr.contains("--listen: `nowhere` cannot be listened at"), "{ran}");
}

/// Item 2, the other half: the database goes away and comes back, and nobody starts the plugin anew. Item 3: no word of
/// the database's own comes out.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_it_is_degraded_until_that_is_back() {
    let served = Door::start("plugin --listen 127.0.0.1:0", &[]).await;
    served.ask("GET", "/v1/health", "").await.is(200);
    if served.database_answers(false).await {
        let health = served.ask("GET", "/v1/health", "").await.is(503);
        assert_eq!((&health["status"], &health["version"]), (&json!("degraded"), &json!("1.0.0")));
        assert_eq!(health["capabilities"].as_array().unwrap().len(), 5);
        let got = served.ask("POST", "/v1/search", r#"{"namespaces":["team:a"]}"#).await;
        assert_eq!((got.is(503)["code"].as_str(), got.header("retry-after")), (Some("unavailable"), Some("1")));
        assert!(!got.text.to_lowercase().contains("connection") && !got.text.contains("database \""), "{}", got.text);
        assert!(served.database_answers(true).await);
        served.ask("GET", "/v1/health", "").await.is(200);
        served.ask("POST", "/v1/search", r#"{"namespaces":["team:a"]}"#).await.is(200);
    }
    assert_eq!(served.stop().await, Some(0));
}

/// The platform's entry point names a search path; a schema that its own plugin made is not touched.
#[tokio::test(flavor = "multi_thread")]
async fn item_17_a_search_path_is_a_setting_of_the_session() {
    use heirloom_engine::testkit::TestDatabase;
    if std::env::var_os("HEIRLOOM_TEST_URL").is_none() {
        // Without a server nobody has a URL; how one is read stands in `config/plugin.rs`.
        return;
    }
    let database = TestDatabase::fresh().await;
    let own = "create schema memory_plugin; create table memory_plugin.memory_records (id uuid primary key)";
    database.database().client().await.unwrap().batch_execute(own).await.unwrap();
    let url = database.url().unwrap();
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}search_path=memory_plugin,public&statement_timeout=60000");
    let variables = [("MEMORY_PLUGIN_DATABASE_URL", url.as_str())];
    let served = Door::start("plugin --listen 127.0.0.1:0", &variables).await;
    served.ask("PUT", "/v1/namespaces/team:a", r#"{"kind":"team"}"#).await.is(200);
    let body = json!({ "content": "tabs", "kind": "fact", "source": "agent" }).to_string();
    served.ask("POST", "/v1/namespaces/team:a/memories", &body).await.is(201);
    let client = database.database().client().await.unwrap();
    let count = |sql: &'static str| {
        let client = &client;
        async move { client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) }
    };
    assert_eq!(count("select count(*) from heirloom.memory").await, 1);
    assert_eq!(count("select count(*) from memory_plugin.memory_records").await, 0);
    drop(client);
    assert_eq!(served.stop().await, Some(0));
    database.close().await;
}

/// Item 15, in a store that was not made for the platform.
#[tokio::test(flavor = "multi_thread")]
async fn item_15_a_store_too_narrow_for_the_platform_says_so() {
    let variables = [("MEMORY_PLUGIN_LISTEN_ADDR", "127.0.0.1:0"), ("HEIRLOOM_DIMENSION", "1024")];
    let served = Door::start("plugin", &variables).await;
    served.ask("PUT", "/v1/namespaces/workspace:a", r#"{"kind":"workspace"}"#).await.is(200);
    let body = json!({ "content": "a point", "kind": "fact", "source": "agent", "embedding": vec![0.5; 1_536] });
    served.ask("POST", "/v1/namespaces/workspace:a/memories", &body.to_string()).await.is(400);
    served.has_said("This store keeps vectors of 1024: the platform's own, of 1536, are refused").await;
    assert_eq!(served.stop().await, Some(0));
}

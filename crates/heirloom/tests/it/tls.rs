//! `heirloom serve` with a certificate: a client that trusts exactly that one gets in, any other does not, and who speaks
//! plain HTTP is told so. Files that cannot serve are named before anything is opened.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::certificate::Certificate;
use crate::served::{Served, answer};
use crate::support::Home;

const IN_TIME: &str = "491231235959Z";

/// Writes a certificate, its key and settings that name them; the settings' path.
fn settings(dir: &std::path::Path, chain: &str, key: &str) -> String {
    let (chain_file, key_file, file) = (dir.join("chain.pem"), dir.join("key.pem"), dir.join("heirloom.toml"));
    std::fs::write(&chain_file, chain).unwrap();
    std::fs::write(&key_file, key).unwrap();
    let settings = format!("[serve]\ntls_cert = {chain_file:?}\ntls_key = {key_file:?}\n");
    std::fs::write(&file, settings).unwrap();
    file.to_str().unwrap().to_owned()
}

/// What a client needs that trusts this certificate and no other.
fn trusting(certificate: &Certificate) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der.clone().into()).unwrap();
    rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn client(tls: rustls::ClientConfig) -> reqwest::Client {
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_trusts_the_certificate_gets_in() {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, other) = (Certificate::new(1, IN_TIME), Certificate::new(2, IN_TIME));
    let file = settings(dir.path(), &certificate.chain, &certificate.key);
    // Commands on the same store find their way in, too, which is why a token can be made.
    let mut served = Served::with(&[], &[("HEIRLOOM_CONFIG", &file)]).await;
    assert!(served.url.starts_with("https://127.0.0.1:"), "{}", served.url);
    served.asked_by(client(trusting(&certificate)));
    let token = served.token("w", "write", &["team:a"]);
    let note = json!({ "content": "said through TLS", "namespace": "team:a" });
    served.post("/api/v1/remember", &token, &note).await.is(201);
    let found = served.get("/api/v1/recall?query=TLS&namespaces=team:a", &token).await.is(200);
    assert_eq!(found["hits"].as_array().unwrap().len(), 1);

    // A WebSocket by the same certificate hears of a write.
    let socket = served.url.replacen("https", "wss", 1) + "/api/v1/events/ws";
    let mut request = socket.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let address = served.url.trim_start_matches("https://");
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(trusting(&certificate)));
    let stream = connector.connect("127.0.0.1".try_into().unwrap(), stream).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    served.post("/api/v1/remember", &token, &json!({ "content": "heard", "namespace": "team:a" })).await.is(201);
    let heard = futures_util::StreamExt::next(&mut socket).await.unwrap().unwrap();
    assert!(heard.to_text().unwrap().contains("ACTIVITY_LOGGED"), "{heard}");
    drop(socket);

    // Who trusts another, or those of the web, does not talk to us.
    for stranger in [client(trusting(&other)), heirloom_migrate::http::builder().unwrap().build().unwrap()] {
        let refused = stranger.get(format!("{}/healthz", served.url)).send().await.unwrap_err();
        assert!(format!("{refused:?}").contains("InvalidCertificate"), "{refused:?}");
    }
    // Plain HTTP ends with a sentence, also when it brings a body.
    let plain = served.url.replacen("https", "http", 1);
    let told = client(trusting(&certificate)).get(format!("{plain}/api/v1/list")).send().await.unwrap();
    assert_eq!(told.status(), 400);
    assert_eq!(told.text().await.unwrap(), "this address speaks TLS: use https://\r\n");
    let sent = client(trusting(&certificate)).post(format!("{plain}/api/v1/remember")).body("x".repeat(32 * 1024));
    assert_eq!(answer(sent).await.status, 400);
    // Anything else ends, and keeps nobody waiting.
    let address = plain.trim_start_matches("http://");
    let mut odd = tokio::net::TcpStream::connect(address).await.unwrap();
    odd.write_all(&[0, 1, 2, 3, 4, 5]).await.unwrap();
    odd.shutdown().await.unwrap();
    let mut rest = Vec::new();
    odd.read_to_end(&mut rest).await.unwrap();
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();
    answer(served.request(Method::GET, "/api/v1/list?namespaces=team:a", &token)).await.is(200);
    assert_eq!(served.stop().await, Some(0));
}

#[test]
fn files_that_cannot_serve_are_named_before_anything_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, other) = (Certificate::new(1, IN_TIME), Certificate::new(2, IN_TIME));
    let ended = Certificate::new(1, "210101000000Z");
    let home = Home::new();
    let refused = |file: &str, name: &str, words: &str| {
        for door in ["serve", "plugin"] {
            let ran = home.run_with(&format!("{door} --listen 127.0.0.1:0"), &[("HEIRLOOM_CONFIG", file)]);
            assert!(ran.code == 1 && ran.stderr.contains(name) && ran.stderr.contains(words), "{ran}");
            assert!(!ran.stderr.contains("Serving") && !ran.stderr.contains("BEGIN"), "{ran}");
        }
        assert!(!home.path().join("data").exists(), "a store was made");
    };
    for (chain, key, name, words) in [
        (ended.chain.as_str(), ended.key.as_str(), "chain.pem", "ended at 2021-01-01T00:00:00Z"),
        ("", &certificate.key, "chain.pem", "no certificate"),
        ("-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n", &certificate.key, "chain.pem", "PEM"),
        (&certificate.chain, "", "key.pem", "no PEM private key"),
        (&certificate.chain, &certificate.chain, "key.pem", "no PEM private key"),
        (&certificate.chain, &other.key, "key.pem", "does not go with the certificate"),
    ] {
        refused(&settings(dir.path(), chain, key), name, words);
    }
    let file = settings(dir.path(), &certificate.chain, &certificate.key);
    std::fs::remove_file(dir.path().join("key.pem")).unwrap();
    refused(&file, "key.pem", "No such file");
    std::fs::create_dir(dir.path().join("key.pem")).unwrap();
    refused(&file, "key.pem", "cannot be read");
}

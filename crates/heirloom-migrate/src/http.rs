//! How Heirloom calls others over HTTP: one TLS, no proxy, no redirect.

use std::sync::Arc;
use std::time::Duration;

/// How long a connection is kept that nobody uses. `heirloom serve` lets go after 30 s, as many servers do.
const IDLE: Duration = Duration::from_secs(10);

/// A client to be finished by whoever needs one; `None` when no encryption is available.
pub fn builder() -> Option<reqwest::ClientBuilder> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // Before a server does: what is sent on a connection that is being closed gets no answer, and a write may not
        // be sent again unasked.
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("heirloom/", env!("CARGO_PKG_VERSION")));
    Some(client)
}
